//! The data, as it lies in `examples/data`: flights as the US Bureau of
//! Transportation Statistics counted them, weather as NOAA measured it.

/// A file, and the log that it fills.
#[derive(Debug)]
pub struct Table {
    /// The log.
    pub name: &'static str,
    /// The file's name, whose ending says how it is packed.
    pub file: &'static str,
    /// The file.
    pub bytes: &'static [u8],
    /// How many records it has.
    pub rows: u64,
    /// What its columns are.
    pub schema: &'static str,
    /// The column that is the key.
    pub key: &'static str,
    /// Partitions of the log.
    pub partitions: u32,
}

/// Table of a file and a schema of this name.
macro_rules! table {
    ($name:literal, $file:literal, $rows:literal, $key:literal, $partitions:literal) => {
        Table {
            name: $name,
            file: $file,
            bytes: include_bytes!(concat!("../../../../examples/data/", $file)),
            rows: $rows,
            schema: include_str!(concat!("../../../../examples/data/", $name, ".sql")),
            key: $key,
            partitions: $partitions,
        }
    };
}

/// The small ones first: whoever waits for the flights can look at the others.
pub const TABLES: &[Table] = &[
    table!("airlines", "airlines.csv", 16, "carrier", 1),
    table!("airports", "airports.csv.zst", 1_458, "faa", 1),
    table!("planes", "planes.csv.zst", 3_322, "tailnum", 1),
    table!("weather", "weather-2013-01.csv.zst", 2_226, "origin", 1),
    table!("flights", "flights-2013-01.csv.zst", 27_004, "tailnum", 3),
];
