//! From a path to a resource: literal parts before variables, variables before the greedy rest.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::bucket::Bucket;
use super::metric::Gauges;
use super::mock::Mock;
use crate::resource::{is_greedy, is_variable};
use crate::table::{IntegrationKind, Method, Resource};

/// All resources of a deployment, by path. Finding one costs the length of the path.
pub(crate) struct Routes {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    resource: Option<Resource>,
    /// The resource's mocks, by verb.
    mocks: BTreeMap<String, Mock>,
    /// What is measured of its methods, by verb.
    gauges: BTreeMap<String, Arc<Gauges>>,
    /// What limits its methods, by verb; none where a method takes all.
    buckets: BTreeMap<String, Arc<Bucket>>,
    literals: HashMap<String, usize>,
    variable: Option<(String, usize)>,
    greedy: Option<(String, usize)>,
}

/// The resource of a path, with what its variables stand for.
pub(crate) struct Matched<'r> {
    pub(crate) resource: &'r Resource,
    mocks: &'r BTreeMap<String, Mock>,
    gauges: &'r BTreeMap<String, Arc<Gauges>>,
    buckets: &'r BTreeMap<String, Arc<Bucket>>,
    pub(crate) parameters: Vec<(String, String)>,
}

impl<'r> Matched<'r> {
    /// The method for a verb, or the one for any.
    pub(crate) fn method(&self, verb: &str) -> Option<&'r Method> {
        let methods = &self.resource.methods;
        methods.get(verb).or_else(|| methods.get(ANY))
    }

    /// The mock behind that method, if it is one.
    pub(crate) fn mock(&self, verb: &str) -> Option<&'r Mock> {
        self.mocks.get(self.key(verb))
    }

    /// What is measured of that method.
    pub(crate) fn gauges(&self, verb: &str) -> Option<&'r Arc<Gauges>> {
        self.gauges.get(self.key(verb))
    }

    /// What limits that method, if anything does.
    pub(crate) fn bucket(&self, verb: &str) -> Option<&'r Bucket> {
        self.buckets.get(self.key(verb)).map(|bucket| &**bucket)
    }

    fn key<'v>(&self, verb: &'v str) -> &'v str {
        if self.resource.methods.contains_key(verb) { verb } else { ANY }
    }
}

/// The method that answers every verb that has none of its own.
const ANY: &str = "ANY";

impl Routes {
    /// `gauges` makes what is measured of the method of a resource's path and a verb.
    pub(crate) fn new(resources: Vec<Resource>, gauges: impl Fn(&str, &str) -> Arc<Gauges>) -> Self {
        let mut routes = Self { nodes: vec![Node::default()] };
        for resource in resources {
            let verbs = resource.methods.keys();
            let gauges = verbs.map(|verb| (verb.clone(), gauges(&resource.path, verb))).collect();
            routes.insert(resource, gauges);
        }
        routes
    }

    /// Puts a bucket before each method for which `of` its path and verb makes one.
    pub(crate) fn limit(&mut self, of: impl Fn(&str, &str) -> Option<Arc<Bucket>>) {
        for node in &mut self.nodes {
            let Some(resource) = &node.resource else { continue };
            let verbs = resource.methods.keys();
            node.buckets = verbs.filter_map(|verb| Some((verb.clone(), of(&resource.path, verb)?))).collect();
        }
    }

    fn insert(&mut self, resource: Resource, gauges: BTreeMap<String, Arc<Gauges>>) {
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
        self.nodes[at].mocks = mocks(&resource);
        self.nodes[at].gauges = gauges;
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
        Some(Matched {
            resource: node.resource.as_ref()?,
            mocks: &node.mocks,
            gauges: &node.gauges,
            buckets: &node.buckets,
            parameters,
        })
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

fn mocks(resource: &Resource) -> BTreeMap<String, Mock> {
    let integrations =
        resource.methods.iter().filter_map(|(verb, method)| Some((verb, method.integration.as_ref()?)));
    let mocks = integrations.filter(|(_, integration)| integration.kind == IntegrationKind::Mock);
    mocks.map(|(verb, integration)| (verb.clone(), Mock::new(integration))).collect()
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
            operation_name: None,
            request_parameters: BTreeMap::new(),
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
        Routes::new(paths.iter().map(resource).collect(), |_, _| Gauges::unmeasured())
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
