//! How large the values of a column are, each for itself.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// The bytes of each value, and what it takes to say where they are.
    Bytes,
    /// Each value as one.
    One,
}

/// What says where a value begins.
const PLACE_BYTES: u64 = 4;

/// The sizes of all values; those of a list are those of its items together.
pub(super) fn of(array: &dyn Array, leaf: Leaf) -> Vec<u64> {
    let rows = 0..array.len();
    let lengths = |length: &dyn Fn(usize) -> usize| match leaf {
        Leaf::One => vec![1; array.len()],
        Leaf::Bytes => rows.clone().map(|row| length(row) as u64 + PLACE_BYTES).collect(),
    };
    match array.data_type() {
        DataType::Utf8 => lengths(&|row| array.as_string::<i32>().value_length(row) as usize),
        DataType::LargeUtf8 => lengths(&|row| array.as_string::<i64>().value_length(row) as usize),
        DataType::Binary => lengths(&|row| array.as_binary::<i32>().value_length(row) as usize),
        DataType::LargeBinary => {
            lengths(&|row| array.as_binary::<i64>().value_length(row) as usize)
        }
        DataType::Utf8View => lengths(&|row| array.as_string_view().value(row).len() + 16),
        DataType::BinaryView => lengths(&|row| array.as_binary_view().value(row).len() + 16),
        DataType::FixedSizeBinary(bytes) => lengths(&|_| *bytes as usize),
        DataType::Null | DataType::Boolean => lengths(&|_| 1),
        kind if kind.primitive_width().is_some() => {
            lengths(&|_| kind.primitive_width().unwrap_or_default())
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            spans(lists.values(), leaf, lists.value_offsets())
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            spans(lists.values(), leaf, lists.value_offsets())
        }
        DataType::FixedSizeList(_, length) => {
            let offsets: Vec<i32> = (0..=array.len() as i32).map(|row| row * length).collect();
            spans(array.as_fixed_size_list().values(), leaf, &offsets)
        }
        DataType::Map(_, _) => {
            let maps = array.as_map();
            let entries: ArrayRef = std::sync::Arc::new(maps.entries().clone());
            spans(&entries, leaf, maps.value_offsets())
        }
        DataType::Struct(_) => {
            let columns: Vec<_> =
                array.as_struct().columns().iter().map(|column| of(&**column, leaf)).collect();
            rows.map(|row| columns.iter().map(|column| column[row]).sum()).collect()
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let values = of(&**dictionary.values(), leaf);
            let key = |key: usize| values.get(key).copied().unwrap_or(0);
            dictionary.normalized_keys().into_iter().map(key).collect()
        }
        // Whatever there may be besides: no value is larger than all of them.
        _ => vec![array.get_array_memory_size() as u64; array.len()],
    }
}

/// The sizes of lists whose items stand between `offsets`.
fn spans<O: Copy + TryInto<usize>>(items: &ArrayRef, leaf: Leaf, offsets: &[O]) -> Vec<u64> {
    let sizes = of(&**items, leaf);
    let mut sums = vec![0_u64];
    for size in sizes {
        sums.push(sums.last().copied().unwrap_or(0).saturating_add(size));
    }
    let sum = |offset: O| {
        let offset: usize = offset.try_into().unwrap_or(0);
        sums.get(offset).or(sums.last()).copied().unwrap_or(0)
    };
    let size = |pair: &[O]| sum(pair[1]).saturating_sub(sum(pair[0])) + PLACE_BYTES;
    offsets.windows(2).map(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{ListArray, StringArray, StringViewArray};
    use datafusion::arrow::datatypes::Int64Type;

    #[test]
    fn texts_and_lists_have_their_own_sizes() {
        let texts = StringArray::from(vec![Some("abc"), None, Some("")]);
        assert_eq!(of(&texts, Leaf::Bytes), [7, 4, 4]);
        assert_eq!(of(&texts.slice(1, 2), Leaf::Bytes), [4, 4]);
        assert_eq!(of(&StringViewArray::from(vec!["ab"]), Leaf::Bytes), [22]);
        let lists = vec![Some(vec![Some(1), Some(2)]), None, Some(vec![None])];
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(lists);
        assert_eq!(of(&lists, Leaf::Bytes), [28, 4, 16]);
        assert_eq!(of(&lists.slice(2, 1), Leaf::Bytes), [16]);
        assert_eq!(of(&lists, Leaf::One), [6, 4, 5]);
    }
}
