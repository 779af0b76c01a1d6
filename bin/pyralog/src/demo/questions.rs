//! Questions that the demonstration's data has answers to, ready to be pasted into
//! a shell: no query has a character that means something between double quotes.

use std::fmt::Write;

/// A question, for people and for the node.
#[derive(Debug)]
pub struct Question {
    /// In words.
    pub words: &'static str,
    /// In SQL.
    pub sql: &'static str,
}

/// They begin with an aggregate and end with what only a log knows.
pub const QUESTIONS: &[Question] = &[
    Question {
        words: "Which airlines arrive latest?",
        sql: "SELECT a.name, count(*) AS flights, round(avg(f.arr_delay), 1) AS minutes_late \
              FROM flights f JOIN airlines a ON a.carrier = f.carrier \
              GROUP BY a.name HAVING count(*) > 30 ORDER BY minutes_late DESC LIMIT 5",
    },
    Question {
        words: "When is it busy, and when late?",
        sql: "SELECT hour, count(*) AS departures, round(avg(dep_delay), 1) AS minutes_late \
              FROM flights WHERE dep_time IS NOT NULL GROUP BY hour ORDER BY hour",
    },
    Question {
        words: "Are old planes late?",
        sql: "SELECT (2013 - p.year) / 10 * 10 AS years_from, count(DISTINCT p.tailnum) AS planes, \
              count(*) AS flights, round(avg(f.dep_delay), 1) AS minutes_late \
              FROM flights f JOIN planes p ON p.tailnum = f.tailnum WHERE p.year IS NOT NULL \
              GROUP BY years_from ORDER BY years_from",
    },
    Question {
        words: "What does the wind do?",
        sql: "SELECT floor(w.wind_speed / 5) * 5 AS wind_from, count(*) AS flights, \
              round(avg(f.dep_delay), 1) AS minutes_late, \
              sum(CASE WHEN f.dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled \
              FROM flights f JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour \
              WHERE w.wind_speed IS NOT NULL GROUP BY wind_from ORDER BY wind_from",
    },
    Question {
        words: "The two worst departures of each airport, and where they went",
        sql: "SELECT origin, carrier, flight, name AS destination, dep_delay FROM (\
              SELECT f.*, row_number() OVER (PARTITION BY origin ORDER BY dep_delay DESC NULLS LAST) \
              AS place FROM flights f) AS ranked \
              JOIN airports ON faa = dest WHERE place <= 2 ORDER BY origin, dep_delay DESC",
    },
    Question {
        words: "Where did the records go? The same plane is always in the same partition",
        sql: "SELECT _partition, count(*) AS records, count(DISTINCT tailnum) AS planes, \
              max(_offset) AS last_offset FROM flights GROUP BY _partition ORDER BY _partition",
    },
];

/// All of them as commands; `server` is where the node is, if that has to be said.
pub fn text(server: &str) -> String {
    let flag = if server.is_empty() { String::new() } else { format!(" --server {server}") };
    let mut text = String::from("\nQuestions worth asking:\n");
    for Question { words, sql } in QUESTIONS {
        let _ = write!(text, "\n  # {words}\n  pyralog sql{flag} \"{sql}\"\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_can_be_pasted() {
        for Question { words, sql } in QUESTIONS {
            assert!(!sql.contains(['"', '$', '`', '\\', '!', '\n']), "{words}");
            assert!(!sql.contains("  "), "{words}: {sql}");
        }
        assert!(text("http://127.0.0.1:1").contains("sql --server http://127.0.0.1:1 \"SELECT"));
        assert!(text("").contains("pyralog sql \"SELECT"));
    }
}
