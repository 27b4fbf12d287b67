//! Error pages as S3's website endpoints show them.

use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use pagoda_protocol::{ApiError, Body};

use super::answer::header;

/// The page for `error`, and for what hindered its custom document.
pub(super) fn error(error: &ApiError, document: Option<&ApiError>) -> Response<Body> {
    let status = error.status;
    let reason = status.canonical_reason().unwrap_or_default();
    let title = format!("{} {reason}", status.as_u16());
    let mut text = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{}</ul>\n",
        lines(error)
    );
    if let Some(failed) = document {
        let heading = "An Error Occurred While Attempting to Retrieve a Custom Error Document";
        text.push_str(&format!("<h3>{heading}</h3>\n<ul>\n{}</ul>\n", lines(failed)));
    }
    text.push_str("<hr/>\n</body>\n</html>\n");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    header(headers, "x-amz-error-code", &error.code);
    header(headers, "x-amz-error-message", &error.message);
    for (name, value) in &error.headers {
        header(headers, name, value);
    }
    response
}

fn lines(error: &ApiError) -> String {
    let known = [("Code", error.code.as_ref()), ("Message", error.message.as_str())];
    let further = error.fields.iter().map(|(name, value)| (*name, value.as_str()));
    known
        .into_iter()
        .chain(further)
        .map(|(name, value)| format!("<li>{name}: {}</li>\n", escaped(value)))
        .collect()
}

/// A key comes from the visitor, so nothing of it may be markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
