//! What a template is given by name: `$input`, `$context`, `$util`.

use crate::{Heap, RenderError, Value};

/// Something outside the template that it may ask.
///
/// What a host does not know is [`Value::Null`], which prints nothing here.
pub trait Host {
    /// `$host.name`.
    ///
    /// # Errors
    /// What the heap's limits say.
    fn property(&self, heap: &mut Heap, name: &str) -> Result<Value, RenderError> {
        let _ = (heap, name);
        Ok(Value::Null)
    }

    /// `$host.name(arguments)`.
    ///
    /// # Errors
    /// Arguments that the method cannot take, and what the heap's limits say.
    fn call(&self, heap: &mut Heap, name: &str, arguments: &[Value]) -> Result<Value, RenderError> {
        let _ = (heap, name, arguments);
        Ok(Value::Null)
    }

    /// `$host` itself, as text.
    fn text(&self) -> Option<String> {
        None
    }
}
