//! From a path to a resource: literal parts before variables, variables before the greedy rest.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html>

use std::collections::{BTreeMap, HashMap};

use percent_encoding::percent_decode_str;

use super::ready::Ready;
use crate::resource::{is_greedy, is_variable};
use crate::table::{Method, Resource};

/// All resources of a deployment, by path. Finding one costs the length of the path.
pub(crate) struct Routes {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    resource: Option<Resource>,
    /// The resource's methods by verb, ready.
    methods: BTreeMap<String, Ready>,
    literals: HashMap<String, usize>,
    variable: Option<(String, usize)>,
    greedy: Option<(String, usize)>,
}

/// The resource of a path, with what its variables stand for.
pub(crate) struct Matched<'r> {
    pub(crate) resource: &'r Resource,
    methods: &'r BTreeMap<String, Ready>,
    pub(crate) parameters: Vec<(String, String)>,
}

impl<'r> Matched<'r> {
    /// The method for a verb, or the one for any, with what serves it.
    pub(crate) fn method(&self, verb: &str) -> Option<(&'r Method, &'r Ready)> {
        let key = if self.resource.methods.contains_key(verb) { verb } else { ANY };
        Some((self.resource.methods.get(key)?, self.methods.get(key)?))
    }
}

/// The method that answers every verb that has none of its own.
const ANY: &str = "ANY";

impl Routes {
    /// `ready` makes what serves a method of a resource and a verb.
    pub(crate) fn new(resources: Vec<Resource>, ready: impl Fn(&Resource, &str, &Method) -> Ready) -> Self {
        let mut routes = Self { nodes: vec![Node::default()] };
        for resource in resources {
            let methods = resource.methods.iter();
            let methods = methods.map(|(verb, method)| (verb.clone(), ready(&resource, verb, method)));
            let methods = methods.collect();
            routes.insert(resource, methods);
        }
        routes
    }

    fn insert(&mut self, resource: Resource, methods: BTreeMap<String, Ready>) {
        let path = resource.path.clone();
        let mut at = 0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let next = self.nodes.len();
            let node = &mut self.nodes[at];
            at = if !is_variable(part) {
                *node.literals.entry(part.to_owned()).or_insert(next)
            } else {
                let name = part.trim_matches(['{', '}', '+']).to_owned();
                let slot = if is_greedy(part) { &mut node.greedy } else { &mut node.variable };
                slot.get_or_insert((name, next)).1
            };
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        self.nodes[at].methods = methods;
        self.nodes[at].resource = Some(resource);
    }

    /// The resource for a percent-encoded path.
    pub(crate) fn find(&self, path: &str) -> Option<Matched<'_>> {
        let rest = path.trim_start_matches('/');
        // One slash at the end is as none.
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let parts: Vec<&str> = if rest.is_empty() { Vec::new() } else { rest.split('/').collect() };
        let mut parameters = Vec::new();
        let node = self.descend(0, &parts, &mut parameters)?;
        Some(Matched { resource: node.resource.as_ref()?, methods: &node.methods, parameters })
    }

    /// Each level tries at most three branches, and only the first two go on; the greedy one ends.
    fn descend<'r>(
        &'r self,
        at: usize,
        parts: &[&str],
        parameters: &mut Vec<(String, String)>,
    ) -> Option<&'r Node> {
        let node = &self.nodes[at];
        let Some((part, rest)) = parts.split_first() else { return served(node) };
        if let Some(next) = node.literals.get(*part)
            && let Some(found) = self.descend(*next, rest, parameters)
        {
            return Some(found);
        }
        if let Some((name, next)) = &node.variable {
            parameters.push((name.clone(), decoded(part)));
            if let Some(found) = self.descend(*next, rest, parameters) {
                return Some(found);
            }
            parameters.pop();
        }
        let (name, next) = node.greedy.as_ref()?;
        let found = served(&self.nodes[*next])?;
        parameters.push((name.clone(), decoded(&parts.join("/"))));
        Some(found)
    }
}

/// A resource without methods serves nothing, and leaves the path to a greedy one.
fn served(node: &Node) -> Option<&Node> {
    node.resource.as_ref().filter(|resource| !resource.methods.is_empty()).map(|_| node)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Authorization;

    fn routes(paths: &[&str]) -> Routes {
        let method = Method {
            authorization: Authorization::None,
            api_key_required: false,
            operation_name: None,
            request_parameters: BTreeMap::new(),
            request_models: BTreeMap::new(),
            request_validator: None,
            responses: BTreeMap::new(),
            integration: None,
        };
        let resource = |path: &&str| Resource {
            id: (*path).to_owned(),
            parent_id: None,
            path_part: None,
            path: (*path).to_owned(),
            methods: BTreeMap::from([("GET".to_owned(), method.clone())]),
        };
        Routes::new(paths.iter().map(resource).collect(), |_, _, _| Ready::unmeasured())
    }

    #[track_caller]
    fn check(paths: &[&str], path: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let routes = routes(paths);
        let found = routes.find(path);
        let found = found.as_ref().map(|m| (m.resource.path.as_str(), m.parameters.clone()));
        let expected = expected.map(|(path, parameters)| {
            (path, parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>())
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn the_most_specific_resource_answers() {
        let all = ["/", "/pets", "/pets/{id}", "/pets/mine", "/pets/{id}/toys", "/{proxy+}"];
        check(&all, "/", Some(("/", &[])));
        check(&all, "/pets", Some(("/pets", &[])));
        check(&all, "/pets/", Some(("/pets", &[])));
        check(&all, "/pets/mine", Some(("/pets/mine", &[])));
        check(&all, "/pets/7", Some(("/pets/{id}", &[("id", "7")])));
        check(&all, "/pets/mine/toys", Some(("/pets/{id}/toys", &[("id", "mine")])));
        check(&all, "/pets/7/x", Some(("/{proxy+}", &[("proxy", "pets/7/x")])));
        check(&all, "/a%20b", Some(("/{proxy+}", &[("proxy", "a b")])));
        check(&["/a/{proxy+}"], "/a", None);
        check(&["/a"], "/b", None);
    }

    #[test]
    fn a_deep_path_against_many_variables_ends() {
        let path = "/{a}".repeat(10);
        let routes = routes(&[&path, "/x/{proxy+}"]);
        assert!(routes.find(&"/x".repeat(5_000)).is_some());
        assert!(routes.find(&"/y".repeat(5_000)).is_none());
    }
}
