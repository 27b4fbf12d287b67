//! Rows from "Policy evaluation logic" of the IAM user guide.

use crate::scene::*;
use pagoda_policy::Principal;

const EVERYONE: &str = r#""*""#;
const OWN_ACCOUNT: &str = r#"{"AWS":"111111111111"}"#;
const OWN_USER: &str = r#"{"AWS":"arn:aws:iam::111111111111:user/ann"}"#;
const OWN_ROLE: &str = r#"{"AWS":"arn:aws:iam::111111111111:role/r"}"#;
const OWN_SESSION: &str = r#"{"AWS":"arn:aws:sts::111111111111:assumed-role/r/s"}"#;
const GATEWAY: &str = r#"{"Service":"apigateway.amazonaws.com"}"#;

#[test]
fn what_nothing_allows_is_denied() {
    Scene::of(user(OWN)).expect(false);
    Scene::of(user(OWN)).identity(ELSEWHERE).expect(false);
    Scene::of(session(OWN)).expect(false);
    Scene::of(Principal::Anonymous).expect(false);
    Scene::of(Principal::Anonymous).identity(ALLOW).expect(false);
}

#[test]
fn identity_policies_grant_within_the_account() {
    Scene::of(user(OWN)).identity(ALLOW).expect(true);
    Scene::of(session(OWN)).identity(ELSEWHERE).identity(ALLOW).expect(true);
    Scene::of(user(OWN)).identity(ALLOW).identity(DENY).expect(false);
    Scene::of(user(OWN)).identity(DENY).identity(ALLOW).expect(false);
}

#[test]
fn root_needs_no_grant_but_obeys_denials() {
    let deny_all = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    Scene::of(root(OWN)).expect(true);
    Scene::of(root(OWN)).resource(deny_all).expect(false);
    Scene::of(root(OWN)).guardrail(ELSEWHERE).expect(false);
    Scene::of(root(OWN)).session(ELSEWHERE).expect(false);
}

#[test]
fn a_resource_policy_grants_to_whom_it_names() {
    Scene::of(user(OWN)).resource(&grant_to(OWN_USER)).expect(true);
    Scene::of(user(OWN)).resource(&grant_to(OWN_ROLE)).expect(false);
    Scene::of(user(OWN)).resource(&grant_to(EVERYONE)).expect(true);
    Scene::of(session(OWN)).resource(&grant_to(OWN_ROLE)).expect(true);
    Scene::of(session(OWN)).resource(&grant_to(OWN_SESSION)).expect(true);
    Scene::of(Principal::Anonymous).resource(&grant_to(EVERYONE)).expect(true);
    Scene::of(Principal::Anonymous).resource(&grant_to(OWN_ACCOUNT)).expect(false);
}

#[test]
fn naming_the_account_only_delegates() {
    Scene::of(user(OWN)).resource(&grant_to(OWN_ACCOUNT)).expect(false);
    Scene::of(user(OWN)).resource(&grant_to(OWN_ACCOUNT)).identity(ALLOW).expect(true);
}

#[test]
fn boundaries_and_session_policies_only_shrink() {
    Scene::of(user(OWN)).boundary(ALLOW).expect(false);
    Scene::of(user(OWN)).identity(ALLOW).boundary(ALLOW).expect(true);
    Scene::of(user(OWN)).identity(ALLOW).boundary(ELSEWHERE).expect(false);
    Scene::of(session(OWN)).identity(ALLOW).session(ELSEWHERE).expect(false);
    Scene::of(session(OWN)).identity(ALLOW).session(ALLOW).expect(true);
    Scene::of(user(OWN)).identity(ALLOW).guardrail(ELSEWHERE).expect(false);
}

#[test]
fn a_session_named_itself_passes_its_limits_but_its_role_does_not() {
    Scene::of(session(OWN)).resource(&grant_to(OWN_SESSION)).session(ELSEWHERE).expect(true);
    Scene::of(session(OWN)).resource(&grant_to(OWN_ROLE)).session(ELSEWHERE).expect(false);
    Scene::of(session(OWN)).resource(&grant_to(OWN_ROLE)).boundary(ELSEWHERE).expect(false);
    Scene::of(user(OWN)).resource(&grant_to(OWN_USER)).boundary(ELSEWHERE).expect(true);
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let both =
        |principal: &str| Scene::of(user(OWN)).owner(OTHER).resource(&grant_to(principal)).identity(ALLOW);
    both(OWN_USER).expect(true);
    both(OWN_ACCOUNT).expect(true);
    both(EVERYONE).expect(true);
    Scene::of(user(OWN)).owner(OTHER).identity(ALLOW).expect(false);
    Scene::of(user(OWN)).owner(OTHER).resource(&grant_to(OWN_USER)).expect(false);
    Scene::of(root(OWN)).owner(OTHER).expect(false);
    Scene::of(root(OWN)).owner(OTHER).resource(&grant_to(OWN_ACCOUNT)).expect(true);
    both(OWN_USER).boundary(ELSEWHERE).expect(false);
}

#[test]
fn services_are_granted_by_name_only() {
    let gateway = || Scene::of(Principal::Service("apigateway.amazonaws.com".into()));
    gateway().resource(&grant_to(GATEWAY)).expect(true);
    gateway().resource(&grant_to(EVERYONE)).expect(false);
    gateway().resource(&grant_to(r#"{"Service":"s3.amazonaws.com"}"#)).expect(false);
    gateway().expect(false);
}

#[test]
fn some_resources_must_allow_themselves() {
    Scene::of(user(OWN)).identity(ALLOW).must_allow().expect(false);
    Scene::of(root(OWN)).must_allow().expect(false);
    Scene::of(user(OWN)).identity(ALLOW).must_allow().resource(&grant_to(OWN_ACCOUNT)).expect(true);
    Scene::of(user(OWN)).must_allow().resource(&grant_to(OWN_USER)).expect(true);
}

#[test]
fn not_forms_mean_all_the_rest() {
    let not_action = r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#;
    Scene::of(user(OWN)).identity(not_action).expect(true);
    let not_this = r#"{"Effect":"Allow","NotAction":"s3:Get*","Resource":"*"}"#;
    Scene::of(user(OWN)).identity(not_this).expect(false);
    let not_resource = r#"{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}"#;
    Scene::of(user(OWN)).identity(ALLOW).identity(not_resource).expect(true);
    let unresolved = r#"{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/${aws:username}"}"#;
    Scene::of(user(OWN)).identity(ALLOW).identity(unresolved).expect(false);
    let not_principal = r#"{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/ann"},"Action":"*","Resource":"*"}"#;
    Scene::of(user(OWN)).identity(ALLOW).resource(not_principal).expect(true);
    Scene::of(session(OWN)).identity(ALLOW).resource(not_principal).expect(false);
}

#[test]
fn actions_ignore_case_and_resources_do_not() {
    let scene = Scene::of(user(OWN))
        .identity(r#"{"Effect":"Allow","Action":"S3:gEt*","Resource":"arn:aws:s3:::b/K"}"#);
    assert!(scene.asks("s3:GetObject", "arn:aws:s3:::b/K").allowed);
    assert!(!scene.asks("s3:GetObject", "arn:aws:s3:::b/k").allowed);
}

#[test]
fn a_wildcard_stays_within_its_part_of_the_arn() {
    let scene =
        Scene::of(user(OWN)).identity(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:*:q"}"#);
    assert!(!scene.asks("sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q").allowed);
    let scene =
        Scene::of(user(OWN)).identity(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:*:*:q"}"#);
    assert!(scene.asks("sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q").allowed);
}

#[test]
fn the_reason_names_the_statement_or_the_nearest() {
    let reason = |scene: Scene| scene.asks("s3:GetObject", "arn:aws:s3:::b/k").to_string();
    assert_eq!(
        reason(Scene::of(user(OWN)).identity(DENY)),
        "denied by statement 0 of identity-based policy p"
    );
    assert_eq!(
        reason(Scene::of(user(OWN)).identity(ELSEWHERE)),
        "denied: no identity-based policy allows it; the nearest, statement 0 of identity-based policy p, differs in Resource"
    );
}
