//! Where in a statement the server found a mistake: its line, with a caret below.

use crate::failure::Failure;
use pyralog_model::ErrorCode;

/// Adds the line of a statement that the failure names, if it names one.
pub fn pointed_out(failure: Failure, statement: &str) -> Failure {
    if failure.code != Some(ErrorCode::QueryInvalid) || failure.has_help() {
        return failure;
    }
    match place(&failure.to_string()).and_then(|place| caret(statement, place)) {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// The last `Line: 1, Column: 8` of a message, both counted from 1.
fn place(message: &str) -> Option<(usize, usize)> {
    let (_, after) = message.rsplit_once("Line: ")?;
    let (line, after) = after.split_once(", Column: ")?;
    let column: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The line, and a caret below the column; indented as help is.
fn caret(statement: &str, (line, column): (usize, usize)) -> Option<String> {
    let text = statement.lines().nth(line.checked_sub(1)?)?;
    let before: String = text.chars().take(column.checked_sub(1)?).collect();
    let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
    let blank: String = before.chars().map(blank).collect();
    Some(format!("{text}\n  {blank}^"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_pointed_out() {
        let statement = "SELECT 1,\n\tFORM flights";
        let message = "expected an expression, found: FORM at Line: 2, Column: 2";
        let failure = Failure::from_server("query-invalid", message);
        let shown = pointed_out(failure, statement).to_string();
        assert!(shown.ends_with("\n  \tFORM flights\n  \t^"), "{shown:?}");
    }

    #[test]
    fn what_has_no_place_stays_as_it_is() {
        let plain = || Failure::from_server("query-invalid", "there is no column 'x'");
        assert_eq!(pointed_out(plain(), "SELECT x").to_string(), plain().to_string());
        let other = || Failure::from_server("query-failed", "overflow at Line: 1, Column: 1");
        assert_eq!(pointed_out(other(), "SELECT x").to_string(), other().to_string());
        assert_eq!(place("at Line: 7, Column: x"), None);
        assert_eq!(caret("one line", (9, 1)), None);
    }
}
