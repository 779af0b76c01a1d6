//! A table that is not there: which one may have been meant.

use crate::catalog::{CATALOG, LOGS};
use datafusion::catalog::CatalogProviderList;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use pyralog_model::{ApiError, ErrorCode};

/// Names that are listed when none is near.
const NAMES_LISTED: usize = 10;

/// The error itself, unless it is about a table that is not there.
pub(crate) fn explain(error: ApiError, catalogs: &dyn CatalogProviderList) -> ApiError {
    let name = error.message.strip_prefix("table '").and_then(|rest| {
        rest.strip_suffix("' not found")?.strip_prefix(CATALOG)?.strip_prefix('.')
    });
    let Some((schema, table)) = name.and_then(|name| name.split_once('.')) else { return error };
    let Some(catalog) = catalogs.catalog(CATALOG) else { return error };
    let Some(provider) = catalog.schema(schema) else {
        let schemas = catalog.schema_names().join(", ");
        return refusal(format!("there is no schema '{schema}'; there are {schemas}"));
    };
    let names = provider.table_names();
    let what = match schema {
        LOGS => format!("there is no log '{table}'"),
        _ => format!("there is no table '{schema}.{table}'"),
    };
    refusal(match nearest(table, &names) {
        Some(near) => format!("{what}; did you mean {}?", written(near)),
        None if names.is_empty() => format!("{what}, nor any other"),
        None => {
            let some: Vec<String> = names.iter().take(NAMES_LISTED).map(|n| written(n)).collect();
            let more = if names.len() > NAMES_LISTED { ", …" } else { "" };
            format!("{what}; there are {}{more}", some.join(", "))
        }
    })
}

fn refusal(message: String) -> ApiError {
    ApiError::new(ErrorCode::QueryInvalid, message)
}

/// The name in another case, or one with few letters changed.
fn nearest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a String> {
    let wanted = wanted.to_lowercase();
    let distance = |name: &String| levenshtein(&wanted, &name.to_lowercase());
    let nearest = names.iter().map(|name| (distance(name), name)).min()?;
    (nearest.0 <= (wanted.chars().count() / 3).max(1)).then_some(nearest.1)
}

/// As it has to be written: what SQL would fold or misread needs quotes.
fn written(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_near_are_found() {
        let names = ["Flights", "planes", "my-log"].map(str::to_owned);
        let near = |wanted| nearest(wanted, &names).map(|name| written(name));
        assert_eq!(near("flights").as_deref(), Some("\"Flights\""));
        assert_eq!(near("flight").as_deref(), Some("\"Flights\""));
        assert_eq!(near("plane").as_deref(), Some("planes"));
        assert_eq!(near("mylog").as_deref(), Some("\"my-log\""));
        assert_eq!(near("weather"), None);
        assert_eq!(near("x"), None);
    }
}
