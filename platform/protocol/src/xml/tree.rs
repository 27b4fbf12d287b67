//! A parsed XML document.
//!
//! Invariants: no DTD, so no entities of its own and no expansion; depth is bounded by
//! [`crate::check::DEPTH_MAX`]; the document is in memory already, and the tree is a small multiple of it.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::check::DEPTH_MAX;

/// The text is not well-formed XML, or uses what we refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// An element by its local name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Element {
    /// The name without its prefix.
    pub(crate) name: String,
    /// Attributes by local name, namespace declarations left out.
    pub(crate) attributes: Vec<(String, String)>,
    /// Child elements.
    pub(crate) children: Vec<Element>,
    /// All text directly inside.
    pub(crate) text: String,
}

impl Element {
    /// The children called `name`.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The root of the document `text`.
pub(crate) fn parse(text: &str) -> Result<Element, Malformed> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let finished = match reader.read_event().map_err(|_| Malformed)? {
            Event::Start(start) if open.len() < DEPTH_MAX && root.is_none() => {
                open.push(element(&start)?);
                None
            }
            Event::Empty(start) if root.is_none() => Some(element(&start)?),
            Event::End(_) => Some(open.pop().ok_or(Malformed)?),
            Event::Text(text) => {
                let text = text.xml10_content();
                add_text(&mut open, &text)?;
                None
            }
            Event::CData(data) => {
                let text = data.xml10_content();
                add_text(&mut open, &text)?;
                None
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|_| Malformed)?;
                let character = character.or_else(|| predefined(&reference)).ok_or(Malformed)?;
                add_text(&mut open, character.encode_utf8(&mut [0; 4]))?;
                None
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => None,
            Event::Eof => break,
            Event::DocType(_) | Event::Start(_) | Event::Empty(_) => return Err(Malformed),
        };
        if let Some(element) = finished {
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => root = Some(element),
            }
        }
    }
    if open.is_empty() { root.ok_or(Malformed) } else { Err(Malformed) }
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), Malformed> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Malformed),
    }
    Ok(())
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn element(start: &BytesStart<'_>) -> Result<Element, Malformed> {
    let name = start.local_name().into_inner().to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let key = attribute.key.local_name().into_inner().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| Malformed)?.into_owned();
        attributes.push((key, value));
    }
    Ok(Element { name, attributes, ..Element::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_trees() {
        let text = "<?xml version=\"1.0\"?>\n<a xmlns=\"u\" xmlns:x=\"v\" x:t=\"1&amp;2\"><!-- no --><b>1 &lt; 2&#x41;</b><x:c/>\
                    <![CDATA[<raw>]]></a>\n";
        let root = parse(text).unwrap();
        assert_eq!(root.name, "a");
        assert_eq!(root.attributes, [("t".to_owned(), "1&2".to_owned())]);
        assert_eq!(root.text, "<raw>");
        assert_eq!(root.named("b").next().unwrap().text, "1 < 2A");
        assert_eq!(root.children[1].name, "c");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = "<a>".repeat(200);
        for text in [
            "",
            "a",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>&nbsp;</a>",
            "<a b=c/>",
            "<a>&#xD800;</a>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "</a>",
            &deep,
        ] {
            assert_eq!(parse(text), Err(Malformed), "{text}");
        }
    }
}
