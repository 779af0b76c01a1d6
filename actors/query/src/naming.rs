//! Columns that a query asks for twice: the second `n` is called `n_2`, as the planner
//! wants every name once.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr, Statement as Sql};
use std::collections::BTreeSet;

/// Names the columns of a statement apart that are written alike.
pub(crate) fn name_apart(statement: &mut Statement) {
    match statement {
        Statement::Statement(sql) => match sql.as_mut() {
            Sql::Query(query) => name_query(query),
            Sql::Explain { statement, .. } => {
                if let Sql::Query(query) = statement.as_mut() {
                    name_query(query);
                }
            }
            _ => {}
        },
        Statement::Explain(explain) => name_apart(&mut explain.statement),
        _ => {}
    }
}

fn name_query(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let mut taken: BTreeSet<String> = select.projection.iter().map(name_of).collect();
    let mut seen = Vec::new();
    for item in &mut select.projection {
        let (written, name) = (item.to_string(), name_of(item));
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        // `a.n, b.n` are two columns, `n, a.n` are one, written twice.
        let is_bare = written == name;
        let is_same = |(other, other_name, other_is_bare): &(String, String, bool)| {
            *other == written || *other_name == name && (is_bare || *other_is_bare)
        };
        let is_first = !seen.iter().any(is_same);
        seen.push((written, name.clone(), is_bare));
        if is_first {
            continue;
        }
        let mut others = (2..).map(|time| format!("{name}_{time}"));
        let other = others.find(|other| taken.insert(other.clone()));
        let alias = Ident::with_quote('"', other.unwrap_or_default());
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
}

/// What a column is called, without its table.
fn name_of(item: &SelectItem) -> String {
    let name = match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last(),
        _ => None,
    };
    name.map_or_else(|| item.to_string(), |name| name.value.clone())
}
