//! Kafka's primitive encodings, read without allocating and written without
//! intermediate structures.
//!
//! The codec crate decodes what is small and well guarded. What can be large
//! beside its wire form (a fetch of thousands of partitions, the metadata of
//! thousands of names) is read and written here, field by field.

mod reader;
mod writer;

pub(crate) use reader::{Malformed, Reader};
pub(crate) use writer::Writer;
