//! Two tables held against each other: row by row in order, or as what is filed under
//! each key.

use super::cell::{Cell, Row, RowDigest, digest};
use anyhow::{Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Rows that must be those that are expected, in their order.
pub struct InOrder<E> {
    columns: Vec<String>,
    expected: E,
    rows: usize,
    hash: Sha256,
}

impl<E: Iterator<Item = Row>> InOrder<E> {
    /// Against these rows.
    pub fn new(columns: Vec<String>, expected: E) -> InOrder<E> {
        InOrder { columns, expected, rows: 0, hash: Sha256::new() }
    }

    /// The next row that came.
    ///
    /// # Errors
    /// The first difference, by its row and column.
    pub fn row(&mut self, got: &[Cell]) -> Result<()> {
        let number = self.rows;
        let Some(expected) = self.expected.next() else {
            bail!("row {number} is one too many: {got:?}");
        };
        ensure!(expected.len() == got.len(), "row {number} has {} cells", got.len());
        for ((name, expected), got) in self.columns.iter().zip(&expected).zip(got) {
            // By what a digest sees: a float's bits, not its size.
            let same = digest(std::slice::from_ref(expected)) == digest(std::slice::from_ref(got));
            ensure!(same, "row {number}, {name}: {got:?} came, {expected:?} is right");
        }
        self.rows += 1;
        self.hash.update(digest(got));
        Ok(())
    }

    /// How many rows there were, and what stands for all of them.
    ///
    /// # Errors
    /// When some did not come.
    pub fn end(mut self) -> Result<(usize, String)> {
        if let Some(missing) = self.expected.next() {
            bail!("only {} rows came; the next is {missing:?}", self.rows);
        }
        Ok((self.rows, hex(&self.hash.finalize())))
    }
}

/// Rows by a key, of each key in the order that they came.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filed(BTreeMap<Option<String>, Vec<RowDigest>>);

impl Filed {
    /// Files a row.
    pub fn row(&mut self, key: Option<&str>, row: &[Cell]) {
        self.0.entry(key.map(str::to_owned)).or_default().push(digest(row));
    }

    /// Rows without a key have no order: sorts them.
    pub fn forget_order_without_key(&mut self) {
        if let Some(rows) = self.0.get_mut(&None) {
            rows.sort_unstable();
        }
    }

    /// Rows filed.
    pub fn rows(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Keys, the absent one included.
    pub fn keys(&self) -> usize {
        self.0.len()
    }

    /// What stands for all of it.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (key, rows) in &self.0 {
            hash.update(digest(&[key.clone().map_or(Cell::Null, Cell::Text)]));
            rows.iter().for_each(|row| hash.update(row));
        }
        hex(&hash.finalize())
    }

    /// # Errors
    /// The first key whose rows are not those of `expected`.
    pub fn check(&self, expected: &Filed) -> Result<()> {
        for (key, rows) in &expected.0 {
            let got = self.0.get(key).map_or(&[][..], Vec::as_slice);
            ensure!(got.len() == rows.len(), "{key:?}: {} rows of {}", got.len(), rows.len());
            let differs = got.iter().zip(rows).position(|(got, row)| got != row);
            ensure!(differs.is_none(), "{key:?}: row {differs:?} is another");
        }
        let surplus = self.0.keys().find(|key| !expected.0.contains_key(*key));
        ensure!(surplus.is_none(), "nobody is called {surplus:?}");
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |n: i64| vec![Cell::Whole(n), Cell::Text(format!("t{n}")), Cell::Null];
        (0..5).map(row).collect()
    }

    fn judged(got: &[Row]) -> Result<(usize, String)> {
        let columns = ["n", "t", "x"].map(str::to_owned).to_vec();
        let mut judge = InOrder::new(columns, rows().into_iter());
        got.iter().try_for_each(|row| judge.row(row))?;
        judge.end()
    }

    #[test]
    fn in_order_every_planted_difference_is_seen() {
        assert_eq!(judged(&rows()).unwrap().0, 5);
        let planted: [fn(&mut Vec<Row>); 6] = [
            |rows| rows.swap(1, 2),
            |rows| drop(rows.pop()),
            |rows| rows.push(rows[4].clone()),
            |rows| rows[3][2] = Cell::Text(String::new()),
            |rows| rows[3][1] = Cell::Null,
            |rows| rows[3][0] = Cell::Fraction(3.0),
        ];
        for (number, plant) in planted.iter().enumerate() {
            let mut mutant = rows();
            plant(&mut mutant);
            assert!(judged(&mutant).is_err(), "planted {number}");
        }
        let mut mutant = rows();
        mutant[3][1] = Cell::Text("t4".into());
        let said = judged(&mutant).unwrap_err().to_string();
        assert!(said.contains("row 3, t: Text(\"t4\") came"), "{said}");
    }

    fn filed(rows: &[(Option<&str>, i64)]) -> Filed {
        let mut filed = Filed::default();
        rows.iter().for_each(|(key, n)| filed.row(*key, &[Cell::Whole(*n)]));
        filed.forget_order_without_key();
        filed
    }

    #[test]
    fn filed_rows_keep_their_order_under_a_key_alone() {
        let expected =
            filed(&[(Some("a"), 1), (None, 5), (Some("b"), 2), (Some("a"), 3), (None, 4)]);
        let other_order =
            filed(&[(None, 4), (Some("b"), 2), (Some("a"), 1), (None, 5), (Some("a"), 3)]);
        other_order.check(&expected).unwrap();
        assert_eq!(other_order.hash(), expected.hash());
        let planted = [
            filed(&[(Some("a"), 3), (None, 5), (Some("b"), 2), (Some("a"), 1), (None, 4)]),
            filed(&[(Some("a"), 1), (None, 5), (Some("b"), 2), (Some("a"), 3)]),
            filed(&[
                (Some("a"), 1),
                (None, 5),
                (Some("b"), 2),
                (Some("a"), 3),
                (None, 4),
                (Some("c"), 1),
            ]),
            filed(&[(Some("a"), 1), (None, 5), (Some("c"), 2), (Some("a"), 3), (None, 4)]),
        ];
        for (number, mutant) in planted.iter().enumerate() {
            assert!(mutant.check(&expected).is_err(), "planted {number}");
            assert_ne!(mutant.hash(), expected.hash());
        }
    }
}
