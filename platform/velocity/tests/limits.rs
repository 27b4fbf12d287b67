//! No template takes more than its limits, and none panics.

use pagoda_velocity::{Limits, RenderError, Template};
use proptest::prelude::*;

fn render(template: &str) -> Result<String, RenderError> {
    Template::parse(template)?.render(&[], Limits::default())
}

#[track_caller]
fn check(template: &str, expected: &'static str) {
    assert_eq!(render(template), Err(RenderError::Limit(expected)), "{template}");
}

#[test]
fn what_would_not_end_is_an_error() {
    let loops = "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end";
    check(loops, "steps");
    check("#set($l=[1..2000000])", "steps");
    check("#macro(m)#m()#end#m()", "depth");
    check("#define($d)$d#end$d", "depth");
    check("#set($t='#evaluate($t)')#evaluate($t)", "depth");
    check("#set($s='0123456789')#foreach($i in [1..100])#set($s=$s+$s)#end", "memory");
    check(
        "#set($s='0123456789')#foreach($i in [1..16])#set($s=$s+$s)#end#foreach($i in [1..100])$s#end",
        "output",
    );
    check("#set($s='a')#foreach($i in [1..22])#set($s=$s+$s)#end#set($s=$s.replaceAll('a',$s))", "memory");
    check("#set($l=[])#set($x=$l.add($l))$l", "nested values");
    check("#set($m={})#set($m.m=$m)$m", "nested values");
    check("#set($l=[])#foreach($i in [1..1000])#set($l=[$l])#end$l", "nested values");
}

#[test]
fn a_loop_ends_behind_its_last_round() {
    assert_eq!(render("#foreach($i in [1..1500])#set($n=$i)#end$n").unwrap(), "1000");
}

#[test]
fn what_is_too_deep_is_no_template() {
    for (open, close) in [("#if(true)", "#end"), ("#set($x=", ")"), ("$x[", "]"), ("$a.b(", ")")] {
        let template = format!("{}{}", open.repeat(10_000), close.repeat(10_000));
        assert!(Template::parse(&template).is_err(), "{open}");
    }
    for one in ["(", "!", "[", "{1:", "-", "\"#set($x="] {
        assert!(Template::parse(&format!("#set($x={}", one.repeat(10_000))).is_err(), "{one}");
    }
    assert!(Template::parse(&format!("#set($x=1{})", "+1".repeat(10_000))).is_err());
}

#[test]
fn files_are_out_of_reach() {
    for template in ["#include('/etc/passwd')", "#parse('/etc/passwd')"] {
        assert!(Template::parse(template).is_err());
    }
    let escape = "$x.class.forName('java.lang.Runtime')";
    assert_eq!(render(&format!("#set($x='')##\n{escape}")).unwrap(), escape);
}

/// Pieces that templates are made of.
const PIECES: [&str; 46] = [
    "$",
    "#",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "!",
    "\\",
    "\"",
    "'",
    ".",
    ",",
    "..",
    ":",
    " ",
    "\n",
    "a",
    "x1",
    "é",
    "$a",
    "${a}",
    "$!b",
    "$a.size()",
    "$a.b",
    "#set($a=",
    "#if(",
    "#else",
    "#elseif(",
    "#end",
    "#foreach($i in ",
    "#macro(m $p)",
    "#m(1)",
    "#define($d)",
    "#evaluate(",
    "#break",
    "#stop",
    "##",
    "#*",
    "*#",
    "#[[",
    "]]#",
    "1",
    "+",
    "==",
];

proptest! {
    #[test]
    fn any_text_is_a_template_or_an_error(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        let limits = Limits { steps: 10_000, ..Limits::default() };
        if let Ok(template) = Template::parse(&pieces.concat()) {
            let _ = template.render(&[], limits);
        }
    }
}
