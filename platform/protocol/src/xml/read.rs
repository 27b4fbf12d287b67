//! Reads values from an XML tree.

use bytes::Bytes;
use pagoda_base::Timestamp;
use serde_json::Value;

use super::tree::Element;
use crate::ApiError;
use crate::check::{Checks, Seen};
use crate::schema::{Kind, Location, Member, TimestampFormat};
use crate::shape::{EachElement, EachEntry, EachMember, Reader};
use crate::text::{Refuse, TextReader};

/// A reader at one value: an element, or the several of a flattened list or map.
pub(crate) struct XmlReader<'a> {
    elements: Vec<&'a Element>,
    place: Member,
    checks: &'a mut Checks,
    refuse: Refuse,
}

impl<'a> XmlReader<'a> {
    /// At `element`, which is the value of `place`.
    pub(crate) fn new(element: &'a Element, place: Member, checks: &'a mut Checks, refuse: Refuse) -> Self {
        Self { elements: vec![element], place, checks, refuse }
    }

    fn element(&self) -> Result<&'a Element, ApiError> {
        self.elements.last().copied().ok_or_else(ApiError::internal)
    }

    fn refused(&self, text: &str) -> ApiError {
        (self.refuse)(&self.place, text)
    }

    /// Reads what `place` has at `elements`.
    fn nested(
        &mut self,
        elements: Vec<&'a Element>,
        place: Member,
        read: impl FnOnce(&mut dyn Reader) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        read(&mut XmlReader { elements, place, checks: self.checks, refuse: self.refuse })
    }

    fn as_text<T>(
        &mut self,
        read: impl FnOnce(&mut TextReader<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let element = self.element()?;
        if !element.children.is_empty() {
            return Err(self.refused(&element.children[0].name));
        }
        let texts = [element.text.as_str()];
        read(&mut TextReader::new(&texts, self.place, TimestampFormat::DateTime, self.checks, self.refuse))
    }

    fn refuse_unknown(&self, element: &Element) -> Result<(), ApiError> {
        let schema = self.place.target;
        let body = |member: &&Member| member.location == Location::Body && !member.attribute;
        for child in &element.children {
            if let Some(member) = schema.refused.iter().find(|member| member.wire == child.name) {
                return Err(self.checks.not_implemented(member.name));
            }
            if !schema.members.iter().filter(body).any(|member| member.wire == child.name) {
                return Err(self.refused(&child.name));
            }
        }
        Ok(())
    }

    /// The elements of a list or the entries of a map.
    fn items(&self, wire: &str) -> Result<Vec<&'a Element>, ApiError> {
        if self.place.is_flattened() {
            return Ok(self.elements.clone());
        }
        let element = self.element()?;
        match element.children.iter().find(|child| child.name != wire) {
            Some(stranger) => Err(self.refused(&stranger.name)),
            None => Ok(element.children.iter().collect()),
        }
    }
}

/// The text of an attribute as an element, so that both are read alike.
fn attribute(element: &Element, wire: &str) -> Option<Element> {
    let local = wire.rsplit(':').next().unwrap_or(wire);
    let (name, text) = element.attributes.iter().find(|(name, _)| name == local)?;
    Some(Element { name: name.clone(), text: text.clone(), ..Element::default() })
}

impl Reader for XmlReader<'_> {
    fn structure(&mut self, each: EachMember<'_>) -> Result<(), ApiError> {
        let element = self.element()?;
        self.refuse_unknown(element)?;
        let schema = self.place.target;
        let mut seen = Seen::default();
        for (index, member) in schema.members.iter().enumerate() {
            if member.location != Location::Body {
                continue;
            }
            let held = if member.attribute { attribute(element, member.wire) } else { None };
            let found: Vec<&Element> = match &held {
                Some(attribute) => vec![attribute],
                None if member.attribute => continue,
                None => element.named(member.wire).collect(),
            };
            if found.is_empty() {
                continue;
            }
            seen.note(index);
            self.checks.enter_member(member)?;
            XmlReader { elements: found, place: *member, checks: self.checks, refuse: self.refuse }
                .read_member(index, each)?;
            self.checks.leave();
        }
        self.checks.required(schema, &seen, |location| location == Location::Body);
        Ok(())
    }

    fn list(&mut self, each: EachElement<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let element = *place.target.element.ok_or_else(ApiError::internal)?;
        let items = self.items(element.wire)?;
        let count = items.len();
        for (index, item) in items.into_iter().enumerate() {
            self.checks.enter_element(index)?;
            self.nested(vec![item], element, |reader| each(reader))?;
            self.checks.leave();
        }
        self.checks.length(&place, count, "[]");
        Ok(())
    }

    fn map(&mut self, each: EachEntry<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let (Some(key), Some(value)) = (place.target.key, place.target.element) else {
            return Err(ApiError::internal());
        };
        let entries = self.items("entry")?;
        let count = entries.len();
        for entry in entries {
            let (Some(name), Some(held)) = (entry.named(key.wire).last(), entry.named(value.wire).last())
            else {
                return Err(self.refused(&entry.name));
            };
            self.checks.key(place.target, &name.text);
            self.checks.enter_entry(&name.text)?;
            self.nested(vec![held], *value, |reader| each(name.text.clone(), reader))?;
            self.checks.leave();
        }
        self.checks.length(&place, count, "{}");
        Ok(())
    }

    fn string(&mut self) -> Result<String, ApiError> {
        self.as_text(|reader| reader.string())
    }

    fn integer(&mut self) -> Result<i64, ApiError> {
        self.as_text(|reader| reader.integer())
    }

    fn float(&mut self) -> Result<f64, ApiError> {
        self.as_text(|reader| reader.float())
    }

    fn boolean(&mut self) -> Result<bool, ApiError> {
        self.as_text(|reader| reader.boolean())
    }

    fn blob(&mut self) -> Result<Bytes, ApiError> {
        self.as_text(|reader| reader.blob())
    }

    fn timestamp(&mut self) -> Result<Timestamp, ApiError> {
        self.as_text(|reader| reader.timestamp())
    }

    fn document(&mut self) -> Result<Value, ApiError> {
        self.as_text(|reader| reader.document())
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}

impl XmlReader<'_> {
    /// A member that isn't flattened may be there once.
    fn read_member(&mut self, index: usize, each: EachMember<'_>) -> Result<(), ApiError> {
        let many = self.place.is_flattened() && matches!(self.place.target.kind, Kind::List | Kind::Map);
        if self.elements.len() > 1 && !many {
            return Err(self.refused(self.place.wire));
        }
        each(index, self)
    }
}
