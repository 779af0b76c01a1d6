//! `scarab_id()` makes ids, `scarab_time(id)` reads the time in one.

use crate::failure::external;
use datafusion::arrow::array::{Array, AsArray, TimestampMillisecondArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, UInt64Type};
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use pyralog_model::{ApiError, ErrorCode, ScarabId};
use pyralog_partition::IdSource;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The name of the function that makes ids.
pub(super) const SCARAB_ID: &str = "scarab_id";

/// `scarab_id()`: a fresh id for each row.
pub(super) struct ScarabIdFunction {
    ids: Option<Arc<dyn IdSource>>,
    signature: Signature,
}

impl ScarabIdFunction {
    pub(super) fn new(ids: Option<Arc<dyn IdSource>>) -> ScarabIdFunction {
        ScarabIdFunction { ids, signature: Signature::nullary(Volatility::Volatile) }
    }
}

impl ScalarUDFImpl for ScarabIdFunction {
    fn name(&self) -> &str {
        SCARAB_ID
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = u32::try_from(call.number_rows).ok();
        let first = match rows {
            Some(0) => {
                return Ok(ColumnarValue::Array(Arc::new(UInt64Array::from_iter_values([]))));
            }
            Some(rows) => self.ids.as_ref().and_then(|ids| ids.claim(rows)),
            None => None,
        };
        let first = first.ok_or_else(|| external(no_lease()))?;
        let ids = (0..call.number_rows as u64).map(|row| first.nth(row).0);
        Ok(ColumnarValue::Array(Arc::new(UInt64Array::from_iter_values(ids))))
    }
}

fn no_lease() -> ApiError {
    let message = "this node has no lease of Scarab ids at the moment, as no Obelisk answers; \
                   what needs no ids goes on, try scarab_id() again later";
    ApiError::new(ErrorCode::ObeliskAway, message)
}

impl fmt::Debug for ScarabIdFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScarabIdFunction").field("ids", &self.ids.is_some()).finish()
    }
}

/// There is one of them in an engine.
impl PartialEq for ScarabIdFunction {
    fn eq(&self, other: &ScarabIdFunction) -> bool {
        self.signature == other.signature
    }
}

impl Eq for ScarabIdFunction {}

impl Hash for ScarabIdFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        SCARAB_ID.hash(state);
    }
}

/// `scarab_time(id)`: when an id was made, as its maker's clock had it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ScarabTime {
    signature: Signature,
}

impl ScarabTime {
    pub(super) fn new() -> ScarabTime {
        let whole = [DataType::UInt64, DataType::Int64];
        let whole = whole.map(|data_type| TypeSignature::Exact(vec![data_type])).to_vec();
        ScarabTime { signature: Signature::one_of(whole, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ScarabTime {
    fn name(&self) -> &str {
        "scarab_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Millisecond, None))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ids] = &ColumnarValue::values_to_arrays(&call.args)?[..] else {
            return Err(DataFusionError::Plan("scarab_time takes one id".to_owned()));
        };
        let time = |id: u64| i64::try_from(ScarabId(id).clock().unix_ms()).ok();
        let times: TimestampMillisecondArray = match ids.data_type() {
            DataType::UInt64 => {
                ids.as_primitive::<UInt64Type>().iter().map(|id| id.and_then(time)).collect()
            }
            _ => {
                let ids = ids.as_primitive::<Int64Type>().iter();
                ids.map(|id| time(u64::try_from(id?).ok()?)).collect()
            }
        };
        Ok(ColumnarValue::Array(Arc::new(times)))
    }
}
