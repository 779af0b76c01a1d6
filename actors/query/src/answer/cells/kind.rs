//! What the cells of a column are, by how they are written, and where they lie.

use super::Cells;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use std::ops::Range;

/// What the cells are, by how they are written.
pub enum Kind<'a> {
    Null,
    /// Numbers and `true`: as displayed, in both forms.
    Bare(ArrayFormatter<'a>),
    /// As displayed, in quotes in JSON.
    Quoted(ArrayFormatter<'a>),
    /// Displayed; in quotes in JSON if it is not finite.
    Float(ArrayFormatter<'a>, Box<dyn Fn(usize) -> bool + 'a>),
    Text(Box<dyn Fn(usize) -> &'a str + 'a>),
    Bytes(Box<dyn Fn(usize) -> &'a [u8] + 'a>),
    List(Box<dyn Fn(usize) -> Range<usize> + 'a>, Box<Cells<'a>>),
    /// Names of fields, and their cells.
    Struct(Vec<(&'a str, Cells<'a>)>),
    /// Entries of a row, their keys and their values.
    Map(Box<dyn Fn(usize) -> Range<usize> + 'a>, Box<Cells<'a>>, Box<Cells<'a>>),
    /// Each cell stands for one of these.
    Dictionary(Vec<usize>, Box<Cells<'a>>),
}

/// As displayed: without options, an error where there is no form.
const DISPLAY: FormatOptions = FormatOptions::new().with_display_error(false);

/// How the cells of a column are written.
pub fn of(array: &dyn Array) -> Result<Kind<'_>, ArrowError> {
    let display = || ArrayFormatter::try_new(array, &DISPLAY);
    Ok(match array.data_type() {
        DataType::Null => Kind::Null,
        kind if kind.is_floating() => Kind::Float(display()?, finite(array)),
        DataType::UInt64 => Kind::Quoted(display()?),
        kind if kind.is_integer() => Kind::Bare(display()?),
        DataType::Boolean => Kind::Bare(display()?),
        DataType::Utf8 => text(array.as_string::<i32>(), |array, row| array.value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>(), |array, row| array.value(row)),
        DataType::Utf8View => text(array.as_string_view(), |array, row| array.value(row)),
        DataType::Binary => bytes(array.as_binary::<i32>(), |array, row| array.value(row)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>(), |array, row| array.value(row)),
        DataType::BinaryView => bytes(array.as_binary_view(), |array, row| array.value(row)),
        DataType::FixedSizeBinary(_) => {
            bytes(array.as_fixed_size_binary(), |array, row| array.value(row))
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            list(lists.values(), move |row| between(lists.value_offsets(), row))?
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            list(lists.values(), move |row| between(lists.value_offsets(), row))?
        }
        DataType::FixedSizeList(_, _) => {
            let lists = array.as_fixed_size_list();
            let length = index(lists.value_length());
            list(lists.values(), move |row| {
                let begin = index(lists.value_offset(row));
                begin..begin + length
            })?
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let named = columns.map(|(field, column)| Ok((field.name().as_str(), nested(column)?)));
            Kind::Struct(named.collect::<Result<_, ArrowError>>()?)
        }
        DataType::Map(_, _) => {
            let maps = array.as_map();
            let range = move |row| between(maps.value_offsets(), row);
            let (keys, values) = (nested(maps.keys())?, nested(maps.values())?);
            Kind::Map(Box::new(range), Box::new(keys), Box::new(values))
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            Kind::Dictionary(keys, Box::new(nested(dictionary.values())?))
        }
        _ => Kind::Quoted(display()?),
    })
}

fn nested(array: &ArrayRef) -> Result<Cells<'_>, ArrowError> {
    Ok(Cells { array, kind: of(array)? })
}

fn text<'a, A>(array: &'a A, value: impl Fn(&'a A, usize) -> &'a str + 'a) -> Kind<'a> {
    Kind::Text(Box::new(move |row| value(array, row)))
}

fn bytes<'a, A>(array: &'a A, value: impl Fn(&'a A, usize) -> &'a [u8] + 'a) -> Kind<'a> {
    Kind::Bytes(Box::new(move |row| value(array, row)))
}

fn list<'a>(
    items: &'a ArrayRef,
    range: impl Fn(usize) -> Range<usize> + 'a,
) -> Result<Kind<'a>, ArrowError> {
    Ok(Kind::List(Box::new(range), Box::new(nested(items)?)))
}

fn finite<'a>(array: &'a dyn Array) -> Box<dyn Fn(usize) -> bool + 'a> {
    match array.data_type() {
        DataType::Float16 => {
            let floats = array.as_primitive::<Float16Type>();
            Box::new(|row| floats.value(row).is_finite())
        }
        DataType::Float32 => {
            let floats = array.as_primitive::<Float32Type>();
            Box::new(|row| floats.value(row).is_finite())
        }
        _ => {
            let floats = array.as_primitive::<Float64Type>();
            Box::new(|row| floats.value(row).is_finite())
        }
    }
}

/// The items of a row.
fn between<O: Copy + TryInto<usize>>(offsets: &[O], row: usize) -> Range<usize> {
    index(offsets[row])..index(offsets[row + 1])
}

/// An offset of Arrow's, which is never negative.
fn index<O: TryInto<usize>>(offset: O) -> usize {
    offset.try_into().unwrap_or(0)
}
