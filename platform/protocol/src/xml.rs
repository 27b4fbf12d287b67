//! XML documents: of restXml, and the answers of awsQuery.

mod read;
mod tree;
mod write;

pub(crate) use read::XmlReader;
pub(crate) use tree::parse;
pub(crate) use write::{XmlWriter, escape};
