//! Simple values as text: headers, query parameters, labels, form fields, XML.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pagoda_base::Timestamp;
use serde_json::Value;

use crate::check::Checks;
use crate::schema::{Kind, Member, TimestampFormat};
use crate::shape::{EachElement, Encode, Reader, Writer};
use crate::{ApiError, moment};

/// A whole number in the range of `kind`; `1.0` is one, `1.5` is not.
pub(crate) fn integer(text: &str, kind: Kind) -> Option<i64> {
    let value = text.parse::<i64>().ok().or_else(|| {
        let value = text.parse::<f64>().ok()?;
        // 2^53: beyond it a float no longer tells whole numbers apart.
        (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
    })?;
    if kind == Kind::Integer { i32::try_from(value).ok().map(i64::from) } else { Some(value) }
}

/// A number, or one of Smithy's words for the values that are none.
pub(crate) fn float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => text.parse::<f64>().ok().filter(|value| value.is_finite()),
    }
}

/// `true` or `false`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    text.parse().ok()
}

/// A number as text.
pub(crate) fn of_float(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        // Debug's form keeps `1.0` a float, and takes an exponent where the digits would be many.
        format!("{value:?}")
    }
}

/// How an error about `text` at a member is worded; each protocol has its own way.
pub(crate) type Refuse = fn(&Member, &str) -> ApiError;

/// A reader of texts: one value, or the several of a repeated parameter.
pub(crate) struct TextReader<'a> {
    texts: &'a [&'a str],
    place: Member,
    format: TimestampFormat,
    checks: &'a mut Checks,
    refuse: Refuse,
}

impl<'a> TextReader<'a> {
    /// Over the value or values of `place`, whose moments have `format` unless the model says otherwise.
    pub(crate) fn new(
        texts: &'a [&'a str],
        place: Member,
        format: TimestampFormat,
        checks: &'a mut Checks,
        refuse: Refuse,
    ) -> Self {
        Self { texts, place, format, checks, refuse }
    }

    /// The last one counts, as with repeated JSON members.
    fn text(&self) -> &'a str {
        self.texts.last().copied().unwrap_or_default()
    }

    fn refused(&self) -> ApiError {
        (self.refuse)(&self.place, self.text())
    }
}

impl Reader for TextReader<'_> {
    fn list(&mut self, each: EachElement<'_>) -> Result<(), ApiError> {
        let place = *self.place.target.element.ok_or_else(ApiError::internal)?;
        for (index, text) in self.texts.iter().enumerate() {
            self.checks.enter_element(index)?;
            let one = [*text];
            each(&mut TextReader::new(&one, place, self.format, self.checks, self.refuse))?;
            self.checks.leave();
        }
        self.checks.length(&self.place, self.texts.len(), "[]");
        Ok(())
    }

    fn string(&mut self) -> Result<String, ApiError> {
        self.checks.text(&self.place, self.text());
        Ok(self.text().to_owned())
    }

    fn integer(&mut self) -> Result<i64, ApiError> {
        let value = integer(self.text().trim(), self.place.target.kind).ok_or_else(|| self.refused())?;
        self.checks.number(&self.place, value);
        Ok(value)
    }

    fn float(&mut self) -> Result<f64, ApiError> {
        float(self.text().trim()).ok_or_else(|| self.refused())
    }

    fn boolean(&mut self) -> Result<bool, ApiError> {
        boolean(&self.text().trim().to_ascii_lowercase()).ok_or_else(|| self.refused())
    }

    fn blob(&mut self) -> Result<Bytes, ApiError> {
        let bytes = STANDARD.decode(self.text().trim()).map_err(|_| self.refused())?;
        self.checks.length(&self.place, bytes.len(), "");
        Ok(bytes.into())
    }

    fn timestamp(&mut self) -> Result<Timestamp, ApiError> {
        let format = self.place.timestamp.unwrap_or(self.format);
        moment::parse(self.text().trim(), format).ok_or_else(|| self.refused())
    }

    fn document(&mut self) -> Result<Value, ApiError> {
        serde_json::from_str(self.text()).map_err(|_| self.refused())
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}

/// A writer of one simple value, or of a list of them, as texts.
pub(crate) struct TextWriter {
    place: Member,
    format: TimestampFormat,
    /// What was written; one text unless it was a list.
    pub(crate) texts: Vec<String>,
}

impl TextWriter {
    /// The texts of `value` at `place`.
    pub(crate) fn texts(place: Member, format: TimestampFormat, value: &dyn Encode) -> Vec<String> {
        let mut writer = Self { place, format, texts: Vec::new() };
        value.write(&mut writer);
        writer.texts
    }
}

impl Writer for TextWriter {
    fn list(&mut self, elements: &mut dyn Iterator<Item = &dyn Encode>) {
        let Some(place) = self.place.target.element else { return };
        self.texts.extend(elements.flat_map(|element| Self::texts(*place, self.format, element)));
    }

    fn string(&mut self, value: &str) {
        self.texts.push(value.to_owned());
    }

    fn integer(&mut self, value: i64) {
        self.texts.push(value.to_string());
    }

    fn float(&mut self, value: f64) {
        self.texts.push(of_float(value));
    }

    fn boolean(&mut self, value: bool) {
        self.texts.push(value.to_string());
    }

    fn blob(&mut self, value: &[u8]) {
        self.texts.push(STANDARD.encode(value));
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.texts.push(match self.place.timestamp.unwrap_or(self.format) {
            TimestampFormat::EpochSeconds => moment::seconds(value),
            TimestampFormat::DateTime => moment::date_time(value),
            TimestampFormat::HttpDate => moment::http_date(value),
        });
    }

    fn document(&mut self, value: &Value) {
        self.texts.push(value.to_string());
    }
}
