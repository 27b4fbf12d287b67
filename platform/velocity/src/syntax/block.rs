//! Text with references and directives in it.

use super::directive::Found;
use super::node::{Block, Node};
use super::{Parsed, Parser};

/// What a block ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    OfTemplate,
    Else,
    ElseIf,
    Block,
}

/// Parts of a block, with neighbouring texts as one.
#[derive(Default)]
pub(super) struct Parts {
    nodes: Vec<Node>,
    text: String,
    /// Where in `text` the characters begin that stand behind the last reference or directive.
    plain_from: usize,
}

impl Parts {
    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn node(&mut self, node: Node) {
        if matches!(node, Node::Set { .. }) {
            self.drop_blanks();
        }
        self.flush();
        self.nodes.push(node);
    }

    /// `#set` takes away the blanks before it, if nothing else stands between it and what precedes them.
    fn drop_blanks(&mut self) {
        if self.text[self.plain_from..].bytes().all(|byte| byte == b' ' || byte == b'\t') {
            self.text.truncate(self.plain_from);
        }
    }

    /// A directive that left nothing, or text.
    fn passed(&mut self, text: &str) {
        self.text.push_str(text);
        self.plain_from = self.text.len();
    }

    fn flush(&mut self) {
        self.plain_from = 0;
        if !self.text.is_empty() {
            self.nodes.push(Node::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn done(mut self) -> Block {
        self.flush();
        self.nodes.into()
    }
}

impl Parser<'_> {
    /// The whole text.
    pub(super) fn whole(&mut self) -> Parsed<Block> {
        match self.block()? {
            (block, End::OfTemplate) => Ok(block),
            (_, end) => Err(self.cursor.error(format!("Encountered '#{}'", end.word()))),
        }
    }

    /// A block up to its `#end`.
    pub(super) fn block_to_end(&mut self, of: &str) -> Parsed<Block> {
        match self.block()? {
            (block, End::Block) => Ok(block),
            (_, end) => Err(self.cursor.error(format!("Encountered '#{}' within '#{of}'", end.word()))),
        }
    }

    /// A block, with what ended it, which has been passed.
    pub(super) fn block(&mut self) -> Parsed<(Block, End)> {
        self.deeper(|parser| {
            let mut parts = Parts::default();
            loop {
                parts.text(parser.cursor.take_while(|c| !matches!(c, '$' | '#' | '\\')));
                match parser.cursor.peek() {
                    None => return Ok((parts.done(), End::OfTemplate)),
                    Some('$') => parser.reference_in_text(&mut parts, 0)?,
                    Some('\\') => parser.slashes(&mut parts)?,
                    Some(_) => match parser.directive()? {
                        Found::Node(node) => parts.node(node),
                        Found::Nothing => parts.passed(""),
                        Found::Text(text) => parts.passed(&text),
                        Found::End(end) => return Ok((parts.done(), end)),
                    },
                }
            }
        })
    }

    /// A `$`, which begins a reference or is one character of text.
    fn reference_in_text(&mut self, parts: &mut Parts, slashes: usize) -> Parsed<()> {
        match self.reference()? {
            Some(reference) => parts.node(Node::Reference { reference, slashes }),
            None => {
                parts.text(&"\\".repeat(slashes));
                self.cursor.eat("$");
                parts.text("$");
            }
        }
        Ok(())
    }

    /// Backslashes: before a reference it depends on its value what becomes of them; before a directive each
    /// two are one, and an odd one makes it text.
    fn slashes(&mut self, parts: &mut Parts) -> Parsed<()> {
        let slashes = self.cursor.take_while(|c| c == '\\').len();
        if self.cursor.is_at("$") {
            return self.reference_in_text(parts, slashes);
        }
        if !self.is_at_known_directive() {
            parts.text(&"\\".repeat(slashes));
            return Ok(());
        }
        parts.text(&"\\".repeat(slashes / 2));
        if slashes % 2 == 1 {
            self.cursor.eat("#");
            parts.text("#");
        }
        Ok(())
    }
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::OfTemplate => "the end of the template",
            Self::Else => "else",
            Self::ElseIf => "elseif",
            Self::Block => "end",
        }
    }
}
