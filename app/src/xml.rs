//! The little of XML that answers of awsQuery services need: names, texts, children.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element. Attributes are passed over.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, quick_xml::Error> {
        let mut reader = Reader::from_reader(bytes);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event()? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    open.push(Self { name, ..Self::default() });
                }
                Event::Empty(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(Self { name, ..Self::default() });
                    }
                }
                Event::End(_) => {
                    if let (Some(child), Some(parent)) = (open.pop(), open.last_mut()) {
                        parent.children.push(child);
                    }
                }
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text);
                    }
                }
                Event::GeneralRef(reference) => {
                    let named = match reference.as_ref() {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref()?,
                    };
                    if let Some(element) = open.last_mut() {
                        element.text.extend(named);
                    }
                }
                Event::Eof => return Ok(open.swap_remove(0)),
                _ => {}
            }
        }
    }

    /// The first element of this name, at any depth.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        let found = self.children.iter().find(|child| child.name == name);
        found.or_else(|| self.children.iter().find_map(|child| child.find(name)))
    }

    /// The members of the list of this name, at any depth.
    pub(crate) fn members(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.find(name).into_iter().flat_map(|list| &list.children)
    }

    /// The text of a child, or nothing.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.children.iter().find(|child| child.name == name).map_or("", |child| &child.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_with_their_texts() {
        let xml = Element::parse(b"<?xml version='1.0'?><A xmlns='x'><L><m><K>a&amp;b</K></m><m/></L></A>")
            .unwrap();
        let members: Vec<&Element> = xml.members("L").collect();
        assert_eq!((members.len(), members[0].text_of("K")), (2, "a&b"));
    }
}
