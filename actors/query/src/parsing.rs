//! From a text to one statement, with bounds on what a text may ask of the planner.
//!
//! A long text is no harm, but a deep one is: each operator of a chain stands one level
//! below the next, and parts of the planner walk levels on the stack. So what can make
//! levels is counted before anything is parsed; values and names can not.

use crate::failure::Failures;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use pyralog_model::{ApiError, ErrorCode};

/// The longest text of a query.
const SQL_BYTES_MAX: usize = 256 << 10;
/// Operators and keywords of a query.
const OPERATORS_MAX: usize = 2_000;
/// How deep parentheses and subqueries may stand in one another.
const DEPTH_MAX: usize = 50;

/// The one statement of a text.
pub(crate) fn parse(sql: &str, failures: &Failures<'_>) -> Result<Statement, ApiError> {
    if sql.len() > SQL_BYTES_MAX {
        let bytes = sql.len();
        return refuse(format!("the query has {bytes} bytes, more than {SQL_BYTES_MAX}"));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
    let tokens = tokens.map_err(|error| failures.explain(&ParserError::from(error).into()))?;
    let operators = tokens.iter().filter(|token| makes_levels(token)).count();
    if operators > OPERATORS_MAX {
        return refuse(format!(
            "the query has {operators} operators and keywords, more than {OPERATORS_MAX}; \
             write long chains of OR as IN (…)"
        ));
    }
    let parser = DFParserBuilder::new(tokens)
        .with_dialect(&GenericDialect {})
        .with_recursion_limit(DEPTH_MAX)
        .build();
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(|error| failures.explain(&error))?;
    match (statements.pop_front(), statements.len()) {
        (None, _) => refuse("there is no statement to run".to_owned()),
        (Some(statement), 0) => Ok(statement),
        (Some(_), more) => refuse(format!("these are {} statements; send one at a time", more + 1)),
    }
}

/// True for what can stand in a chain. Parentheses can not: their depth is bounded by
/// itself.
fn makes_levels(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::EOF
        | Token::Whitespace(_)
        | Token::Comma
        | Token::LParen
        | Token::RParen
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Period => false,
        _ => true,
    }
}

fn refuse<T>(message: String) -> Result<T, ApiError> {
    Err(ApiError::new(ErrorCode::QueryInvalid, message))
}
