//! Questions that nobody should ask, from a seed: good ones with words lost, doubled or
//! exchanged, towers of parentheses, numbers that no type holds, and all the ways to
//! write what may only be read.

use crate::seeded::Seeded;

/// What twisted ones are made of: over small logs, in all of SQL's clauses.
const GOOD: [&str; 14] = [
    "SELECT carrier, name FROM airlines WHERE name LIKE 'A%' ORDER BY name DESC LIMIT 3",
    "SELECT count(*), min(_offset), max(_offset) FROM planes WHERE _offset BETWEEN 10 AND 20",
    "SELECT p.manufacturer, avg(p.seats) AS seats FROM planes p GROUP BY p.manufacturer HAVING count(*) > 2 ORDER BY 2",
    "SELECT a.name, p.name FROM airlines a JOIN airports p ON substr(a.name, 1, 1) = substr(p.name, 1, 1) LIMIT 5",
    "WITH old AS (SELECT * FROM planes WHERE year < 1980) SELECT tailnum, rank() OVER (PARTITION BY engine ORDER BY year) FROM old",
    "SELECT faa, CASE WHEN alt > 5000 THEN 'high' WHEN alt IS NULL THEN '?' ELSE 'low' END FROM airports WHERE lat > 40.5 AND NOT tz = -5 LIMIT 9",
    "SELECT DISTINCT engine FROM planes UNION ALL SELECT dst FROM airports EXCEPT SELECT carrier FROM airlines",
    "SELECT CAST(alt AS DOUBLE) / 3.28, power(lat, 2), round(lon, 1), upper(faa) || lower(name) FROM airports LIMIT 4",
    "SELECT text(_value), text(_key), _timestamp, _epoch, _headers FROM airlines WHERE _partition IN (0, 1) LIMIT 2",
    "SELECT array_agg(carrier ORDER BY carrier), string_agg(name, ', ') FROM airlines WHERE carrier BETWEEN 'A' AND 'F'",
    "SELECT date_trunc('hour', _timestamp), _timestamp + INTERVAL '1 day', to_timestamp(1357034400) FROM airlines LIMIT 1",
    "SELECT log, partition FROM sys.partitions ORDER BY 1",
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'log' LIMIT 7",
    "VALUES (1, 'a', NULL, 1.5, TRUE), (2, 'b', X'00ff', -0.0, FALSE)",
];

/// What a word may turn into.
const WORDS: [&str; 64] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "JOIN",
    "LEFT JOIN",
    "CROSS JOIN",
    "ON",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "IS",
    "IN",
    "LIKE",
    "BETWEEN",
    "CASE",
    "END",
    "LIMIT",
    "OFFSET",
    "UNION",
    "DISTINCT",
    "WITH",
    "RECURSIVE",
    "LATERAL",
    "UNNEST",
    "OVER",
    "VALUES",
    "EXPLAIN",
    "ANALYZE",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ".",
    "*",
    "'",
    "\"",
    "`",
    "--",
    "/*",
    "$1",
    "$$",
    "::",
    "||",
    "\\",
    "\0",
    "0",
    "-1",
    "1e400",
    "9223372036854775807",
    "-9223372036854775809",
    "99999999999999999999999999999",
    "''",
    "\"\"",
    "'\u{1f600}'",
    "_value",
    "_offset",
    "airlines",
    "\"fl\"\"ights\"",
    "INTERVAL '1' YEAR",
];

/// What may never be answered with rows: each would write, or read beside the logs.
const FORBIDDEN: [&str; 18] = [
    "INSERT INTO airlines VALUES ('XX', 'Nobody')",
    "DELETE FROM airlines",
    "UPDATE airlines SET name = 'Nobody'",
    "DROP TABLE airlines",
    "CREATE TABLE taken AS SELECT * FROM airlines",
    "CREATE VIEW seen AS SELECT * FROM airlines",
    "CREATE EXTERNAL TABLE passwd STORED AS CSV LOCATION '/etc/passwd'",
    "COPY airlines TO '/tmp/airlines.csv'",
    "COPY (SELECT 1) TO '/tmp/one.parquet' STORED AS PARQUET",
    "EXPLAIN ANALYZE INSERT INTO airlines VALUES ('XX', 'Nobody')",
    "EXPLAIN ANALYZE COPY airlines TO '/tmp/airlines.csv'",
    "SET datafusion.execution.batch_size = 1",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "SELECT * FROM read_csv('/etc/passwd')",
    "CREATE FUNCTION f() RETURNS INT RETURN 1",
    "PREPARE p AS SELECT 1",
    "SELECT 1; DROP TABLE airlines",
];

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twisted {
    /// In what might be SQL.
    pub query: String,
    /// Rows would be wrong.
    pub is_forbidden: bool,
}

/// The next of them.
pub fn next(seeded: &mut Seeded) -> Twisted {
    let is_forbidden = seeded.below(20) == 0;
    let query = match seeded.below(40) {
        _ if is_forbidden => forbidden(seeded),
        0 => tower(seeded),
        1 => huge(seeded),
        2..=5 => bytes(seeded),
        _ => words(seeded),
    };
    Twisted { query, is_forbidden }
}

fn pick<'a>(seeded: &mut Seeded, of: &[&'a str]) -> &'a str {
    of[seeded.below(of.len())]
}

fn forbidden(seeded: &mut Seeded) -> String {
    let query = pick(seeded, &FORBIDDEN);
    match seeded.below(4) {
        0 => query.to_lowercase(),
        1 => format!("/* SELECT 1 */ {query}"),
        2 => format!("-- SELECT 1\n{query};"),
        _ => query.to_owned(),
    }
}

fn words(seeded: &mut Seeded) -> String {
    let mut words: Vec<&str> = pick(seeded, &GOOD).split(' ').collect();
    for _ in 0..=seeded.below(3) {
        let (at, other) = (seeded.below(words.len()), seeded.below(words.len()));
        match seeded.below(6) {
            0 if words.len() > 1 => drop(words.remove(at)),
            1 => words.insert(at, pick(seeded, &WORDS)),
            2 => words.swap(at, other),
            3 => words.insert(at, words[other]),
            4 => {
                let other: Vec<&str> = pick(seeded, &GOOD).split(' ').collect();
                words.truncate(at + 1);
                words.extend(&other[seeded.below(other.len())..]);
            }
            _ => words[at] = pick(seeded, &WORDS),
        }
    }
    words.join(" ")
}

fn bytes(seeded: &mut Seeded) -> String {
    let mut bytes = pick(seeded, &GOOD).as_bytes().to_vec();
    for _ in 0..=seeded.below(4) {
        let at = seeded.below(bytes.len());
        match seeded.below(3) {
            0 => bytes[at] ^= 1 << seeded.below(8),
            1 => bytes[at] = seeded.next_u64() as u8,
            _ => bytes.truncate(at.max(1)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Nested as deep as a stack of the usual size is not.
fn tower(seeded: &mut Seeded) -> String {
    let deep = 10_usize.pow(1 + seeded.below(4) as u32) * (1 + seeded.below(2));
    let around = |open: &str, inner: &str, close: &str| {
        format!("SELECT {}{inner}{}", open.repeat(deep), close.repeat(deep))
    };
    match seeded.below(9) {
        0 => around("(", "1", ")"),
        1 => around("(", "1", ""),
        2 => around("NOT ", "TRUE", ""),
        3 => around("1 + ", "1", ""),
        4 => around("abs(", "1", ")"),
        5 => around("[", "1", "]"),
        6 => around("- ", "1", ""),
        7 => around("CASE WHEN TRUE THEN ", "1", " END"),
        _ => {
            format!("SELECT * FROM {}airlines{}", "(SELECT * FROM ".repeat(deep), ")".repeat(deep))
        }
    }
}

/// Much of one thing.
fn huge(seeded: &mut Seeded) -> String {
    let many = 10_usize.pow(1 + seeded.below(4) as u32) * (1 + seeded.below(3));
    match seeded.below(8) {
        0 => format!("SELECT '{}'", "long ".repeat(many)),
        1 => format!("SELECT {}", "9".repeat(many)),
        2 => format!("SELECT \"{}\" FROM airlines", "long\"\"".repeat(many)),
        3 => format!("SELECT 1 WHERE 1 IN ({}0)", "1, ".repeat(many)),
        4 => format!("SELECT {}1", "1, ".repeat(many)),
        5 => format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(many.min(3_000))),
        6 => format!("SELECT * FROM airlines a0{}", ", airlines".repeat(many.min(300))),
        _ => format!("SELECT repeat('x', {many}0000), lpad('x', {many}000000, 'y')"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_repeats_and_few_questions_come_twice() {
        let (mut one, mut other) = (Seeded::new(3), Seeded::new(3));
        let many: Vec<Twisted> = (0..4_000).map(|_| next(&mut one)).collect();
        assert!(many.iter().all(|question| *question == next(&mut other)));
        let distinct: BTreeSet<&String> = many.iter().map(|question| &question.query).collect();
        assert!(distinct.len() > 3_000, "{}", distinct.len());
        let forbidden = many.iter().filter(|question| question.is_forbidden).count();
        assert!((100..400).contains(&forbidden), "{forbidden}");
        assert!(many.iter().any(|question| question.query.len() > 100_000));
    }
}
