//! JSON documents: of awsJson and restJson1, and of calls inside the process.

mod read;
mod token;
mod write;

use serde_json::Value;

use crate::check::Checks;
use crate::schema::{Location, Member};
use crate::shape::Shape;
use crate::{ApiError, Encode};

pub(crate) use read::JsonReader;
pub(crate) use write::{JsonWriter, quote};

/// Whose names the members of a document have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// The wire's; only members of the body are in the document.
    Wire,
    /// The model's, wherever HTTP would put the member; scalars may be written as text, as templates do.
    Model,
}

impl Names {
    fn of(self, member: &Member) -> &'static str {
        match self {
            Self::Wire => member.wire,
            Self::Model => member.name,
        }
    }

    fn includes(self, member: &Member) -> bool {
        self == Self::Model || member.location == Location::Body
    }
}

/// Reads the input of `operation` from a document that names members as the model does, whatever their
/// place in HTTP. Numbers and booleans may be texts, and texts numbers, as in templates.
pub fn from_json<I: Shape>(operation: &'static str, value: &Value) -> Result<I, ApiError> {
    let text = value.to_string();
    let mut checks = Checks::new(operation);
    let place = Member::new("", I::schema());
    let input = JsonReader::new(&text, place, Names::Model, &mut checks).document_of::<I>()?;
    checks.finish("ValidationException")?;
    Ok(input)
}

/// `output` with its members by the model's names, whatever their place in HTTP. Streams are left out.
pub fn to_json<O: Shape>(output: &O) -> Value {
    let mut writer = JsonWriter::new(Member::new("", O::schema()), Names::Model);
    output.write(&mut writer);
    serde_json::from_slice(&writer.into_bytes()).unwrap_or_default()
}

/// The wire document of one `value` at `place`.
pub(crate) fn document(place: Member, value: &dyn Encode) -> Vec<u8> {
    let mut writer = JsonWriter::new(place, Names::Wire);
    value.write(&mut writer);
    writer.into_bytes()
}
