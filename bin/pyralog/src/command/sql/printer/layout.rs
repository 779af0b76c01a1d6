//! How wide the columns of a table are, if they fit beside each other at all.

/// Blanks after each column.
pub const GAP: usize = 2;
/// A column is never narrower than this, unless all of it fits in less.
const WIDTH_MIN: usize = 16;

/// The widths of columns whose cells would like to be as wide as `natural`, in a
/// terminal of `width`. Short columns get what they need; the others share the rest.
/// `None` if they would be too narrow to be read.
pub fn widths(natural: &[usize], width: usize) -> Option<Vec<usize>> {
    let mut rest = width.checked_sub(GAP * natural.len().saturating_sub(1))?;
    let least: usize = natural.iter().map(|wish| (*wish).min(WIDTH_MIN)).sum();
    if least > rest {
        return None;
    }
    let mut widths = vec![0; natural.len()];
    let mut shortest_first: Vec<usize> = (0..natural.len()).collect();
    shortest_first.sort_by_key(|column| natural[*column]);
    for (place, column) in shortest_first.into_iter().enumerate() {
        let share = rest / (natural.len() - place);
        widths[column] = natural[column].min(share);
        rest -= widths[column];
    }
    Some(widths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_columns_get_what_they_need_and_long_ones_the_rest() {
        for (natural, width, expect) in [
            (&[3, 5][..], 80, Some(vec![3, 5])),
            (&[3, 100], 80, Some(vec![3, 75])),
            (&[100, 3, 100], 80, Some(vec![36, 3, 37])),
            (&[100; 4], 80, Some(vec![18, 18, 19, 19])),
            (&[100; 5], 80, None),
            (&[8; 9], 80, None),
            (&[8; 8], 80, Some(vec![8; 8])),
            (&[], 80, Some(vec![])),
        ] {
            let found = widths(natural, width);
            assert_eq!(found, expect, "{natural:?} in {width}");
            let sum = found.map_or(0, |widths| widths.iter().sum::<usize>() + GAP * widths.len());
            assert!(sum <= width + GAP);
        }
    }
}
