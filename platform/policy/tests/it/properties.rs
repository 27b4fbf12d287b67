//! What must hold for all policies.

use proptest::prelude::*;

use crate::scene::{OWN, Scene, user};

fn statement() -> impl Strategy<Value = String> {
    let effect = prop_oneof![Just("Allow"), Just("Deny")];
    let action = prop_oneof![Just("s3:*"), Just("s3:GetObject"), Just("iam:*"), Just("*")];
    let resource =
        prop_oneof![Just("*"), Just("arn:aws:s3:::b/*"), Just("arn:aws:s3:::c/*"), Just("arn:aws:s3:::b/k")];
    (effect, action, resource).prop_map(|(effect, action, resource)| {
        format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}"#)
    })
}

fn allowed(statements: &[String]) -> bool {
    let scene = statements.iter().fold(Scene::of(user(OWN)), |scene, one| scene.identity(one));
    scene.asks("s3:GetObject", "arn:aws:s3:::b/k").allowed
}

proptest! {
    #[test]
    fn order_never_matters(mut statements in prop::collection::vec(statement(), 0..6)) {
        let before = allowed(&statements);
        statements.reverse();
        prop_assert_eq!(before, allowed(&statements));
    }

    #[test]
    fn a_matching_denial_always_wins(mut statements in prop::collection::vec(statement(), 0..6), at in 0usize..6) {
        statements.insert(at.min(statements.len()), crate::scene::DENY.to_owned());
        prop_assert!(!allowed(&statements));
    }

    #[test]
    fn adding_an_allow_never_removes_access(statements in prop::collection::vec(statement(), 0..6)) {
        let mut more = statements.clone();
        more.push(crate::scene::ALLOW.to_owned());
        prop_assert!(!allowed(&statements) || allowed(&more));
    }

    #[test]
    fn a_boundary_only_shrinks(statements in prop::collection::vec(statement(), 0..6), boundary in statement()) {
        let open = statements.iter().fold(Scene::of(user(OWN)), |scene, one| scene.identity(one));
        let bounded = statements.iter().fold(Scene::of(user(OWN)).boundary(&boundary), |scene, one| scene.identity(one));
        let asks = |scene: &Scene| scene.asks("s3:GetObject", "arn:aws:s3:::b/k").allowed;
        prop_assert!(!asks(&bounded) || asks(&open));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        let _ = pagoda_policy::Document::parse(&text, pagoda_policy::Kind::Identity);
    }
}
