//! How much a function makes of a row at most, in bytes.

mod series;

use super::arguments::Arguments;

/// What a function makes of one row of its arguments at most, in bytes.
pub(crate) type Growth = fn(&Arguments, usize) -> u64;

/// The most that an escape, a letter or a digit of one text is in another one, and
/// what it takes to say where a value is.
const BYTES_PER_BYTE: u64 = 4;
/// The longest number or time, as text.
const NUMBER_BYTES: u64 = 64;

/// How much a function makes, if that can be more than a number.
pub(super) fn of(function: &str) -> Option<Growth> {
    Some(match function {
        "repeat" => repeated,
        "lpad" | "rpad" => padded,
        "replace" => replaced,
        "regexp_replace" => regexp_replaced,
        "to_char" => formatted,
        "range" | "generate_series" => series::listed,
        "array_repeat" => items_repeated,
        "array_resize" => resized,
        "array_to_string" => joined,
        "string_to_array" | "regexp_match" => split,
        "array_replace" | "array_replace_n" | "array_replace_all" => items_replaced,
        "||" | "concat" => chained,
        "levenshtein" | "array_has_all" | "array_has_any" => linear,
        "concat_ws" => separated,
        _ if LINEAR.contains(&function) => linear,
        _ => return None,
    })
}

/// How many steps a function takes for a row, if they grow faster than its arguments: it
/// cannot be ended on its way.
pub(super) fn steps_of(function: &str) -> Option<Growth> {
    match function {
        "levenshtein" => Some(|call, row| call.bytes(0, row).saturating_mul(call.bytes(1, row))),
        "array_has_all" | "array_has_any" => {
            Some(|call, row| call.items(0, row).saturating_mul(call.items(1, row)))
        }
        _ => None,
    }
}

/// What these make is as large as what they are given, but for another writing of it.
const LINEAR: [&str; 49] = [
    "array_any_value",
    "array_append",
    "array_compact",
    "array_concat",
    "array_distinct",
    "array_element",
    "array_except",
    "array_intersect",
    "array_max",
    "array_min",
    "array_pop_back",
    "array_pop_front",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_remove_all",
    "array_remove_n",
    "array_reverse",
    "array_slice",
    "array_sort",
    "array_union",
    "arrays_zip",
    "arrow_cast",
    "arrow_try_cast",
    "btrim",
    "decode",
    "encode",
    "flatten",
    "initcap",
    "json_text",
    "left",
    "lower",
    "ltrim",
    "make_array",
    "map",
    "map_entries",
    "map_extract",
    "map_keys",
    "map_values",
    "overlay",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "substr",
    "substr_index",
    "text",
    "translate",
    "upper",
];

fn linear(call: &Arguments, row: usize) -> u64 {
    chained(call, row).saturating_mul(BYTES_PER_BYTE)
}

fn chained(call: &Arguments, row: usize) -> u64 {
    (0..call.count()).fold(0, |sum, argument| sum.saturating_add(call.bytes(argument, row)))
}

fn separated(call: &Arguments, row: usize) -> u64 {
    let separators = call.bytes(0, row).saturating_mul(call.count() as u64);
    separators.saturating_add(chained(call, row))
}

/// `repeat(text, times)`
fn repeated(call: &Arguments, row: usize) -> u64 {
    let text = call.text(0, row).map_or(0, str::len) as u64;
    text.saturating_mul(times(call, 1, row))
}

/// `lpad(text, characters, fill)`
fn padded(call: &Arguments, row: usize) -> u64 {
    let characters = times(call, 1, row).saturating_mul(BYTES_PER_BYTE);
    characters.saturating_add(call.bytes(0, row))
}

/// `replace(text, from, to)`
fn replaced(call: &Arguments, row: usize) -> u64 {
    let (text, to) = (call.bytes(0, row), call.bytes(2, row));
    let found = match (call.text(0, row), call.text(1, row)) {
        (Some(_), Some("")) => text + 1,
        (Some(_), Some(from)) if to <= from.len() as u64 => 0,
        (Some(text), Some(from)) => text.matches(from).count() as u64,
        _ => 0,
    };
    text.saturating_add(found.saturating_mul(to))
}

/// `regexp_replace(text, pattern, to, flags)`: `to` may hold what was found, in several
/// places.
fn regexp_replaced(call: &Arguments, row: usize) -> u64 {
    let (text, to) = (call.bytes(0, row), call.bytes(2, row));
    let groups = call.text(2, row).unwrap_or_default().matches(['\\', '$']).count() as u64;
    let is_everywhere = call.text(3, row).is_some_and(|flags| flags.contains('g'));
    let found = if is_everywhere { text + 1 } else { 1 };
    let copied = text.saturating_mul(groups + 1);
    copied.saturating_add(found.saturating_mul(to))
}

/// `to_char(time, format)`: two letters of a format may be a whole time.
fn formatted(call: &Arguments, row: usize) -> u64 {
    call.bytes(1, row).saturating_mul(NUMBER_BYTES / 2)
}

/// `array_repeat(value, times)`
fn items_repeated(call: &Arguments, row: usize) -> u64 {
    call.bytes(0, row).saturating_mul(times(call, 1, row))
}

/// `array_resize(list, items, value)`
fn resized(call: &Arguments, row: usize) -> u64 {
    let item = call.bytes(2, row).max(2 * BYTES_PER_BYTE);
    let items = times(call, 1, row).saturating_mul(item);
    items.saturating_add(call.bytes(0, row))
}

/// `array_to_string(list, separator, instead_of_null)`
fn joined(call: &Arguments, row: usize) -> u64 {
    let beside = call.bytes(1, row).saturating_add(call.bytes(2, row)).saturating_add(NUMBER_BYTES);
    let items = call.items(0, row).saturating_mul(beside);
    items.saturating_add(call.bytes(0, row).saturating_mul(BYTES_PER_BYTE))
}

/// `string_to_array(text, separator)`: each letter may be a text of its own.
fn split(call: &Arguments, row: usize) -> u64 {
    call.bytes(0, row).saturating_mul(6 * BYTES_PER_BYTE)
}

/// `array_replace(list, from, to)`
fn items_replaced(call: &Arguments, row: usize) -> u64 {
    let items = call.items(0, row).saturating_mul(call.bytes(2, row));
    items.saturating_add(call.bytes(0, row))
}

/// A number of times, which is none if it is negative.
fn times(call: &Arguments, argument: usize, row: usize) -> u64 {
    call.whole(argument, row).map_or(0, |times| u64::try_from(times).unwrap_or(0))
}
