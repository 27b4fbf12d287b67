//! The languages.

use std::collections::BTreeMap;

/// A kind of SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For browsers and Node.js, with the interface of AWS's own.
    JavaScript,
    /// As `JavaScript`, with types.
    TypeScript,
    /// Java 8 and later.
    Java,
    /// Java, as an Android library.
    Android,
    /// Swift 5.5 and later.
    Swift,
    /// Objective-C with ARC.
    ObjectiveC,
    /// Ruby 2.7 and later.
    Ruby,
    /// Python 3.8 and later.
    Python,
    /// Kotlin on the JVM or Android.
    Kotlin,
}

/// Something that an SDK of a kind is told beside the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// The name of the request's parameter.
    pub name: &'static str,
    /// What it is called.
    pub friendly_name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Whether there is no SDK without it.
    pub is_required: bool,
    /// What it is where it is not given.
    pub default: Option<&'static str>,
}

const fn required(name: &'static str, friendly_name: &'static str, description: &'static str) -> Property {
    Property { name, friendly_name, description, is_required: true, default: None }
}

const fn optional(
    name: &'static str,
    friendly_name: &'static str,
    description: &'static str,
    default: &'static str,
) -> Property {
    Property { name, friendly_name, description, is_required: false, default: Some(default) }
}

const SERVICE: Property = required("service.name", "Service Name", "The name of the client's class");
const PREFIX: Property = required("classPrefix", "Prefix", "What the names of all classes begin with");

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::JavaScript,
        Self::TypeScript,
        Self::Java,
        Self::Android,
        Self::Swift,
        Self::ObjectiveC,
        Self::Ruby,
        Self::Python,
        Self::Kotlin,
    ];

    /// The kind of this id.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// As requests name it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Java => "java",
            Self::Android => "android",
            Self::Swift => "swift",
            Self::ObjectiveC => "objectivec",
            Self::Ruby => "ruby",
            Self::Python => "python",
            Self::Kotlin => "kotlin",
        }
    }

    /// As people name it.
    #[must_use]
    pub fn friendly_name(self) -> &'static str {
        match self {
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Java => "Java SDK",
            Self::Android => "Android",
            Self::Swift => "iOS (Swift)",
            Self::ObjectiveC => "iOS (Objective-C)",
            Self::Ruby => "Ruby",
            Self::Python => "Python",
            Self::Kotlin => "Kotlin",
        }
    }

    /// What it is for.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::JavaScript => "Generates a JavaScript client for browsers and Node.js",
            Self::TypeScript => "Generates a TypeScript client for browsers and Node.js",
            Self::Java => "Generates a Java client",
            Self::Android => "Generates an Android client",
            Self::Swift => "Generates an iOS client in Swift",
            Self::ObjectiveC => "Generates an iOS client in Objective-C",
            Self::Ruby => "Generates a Ruby client",
            Self::Python => "Generates a Python client",
            Self::Kotlin => "Generates a Kotlin client",
        }
    }

    /// What it is told beside the API.
    #[must_use]
    pub fn properties(self) -> &'static [Property] {
        const JAVA: &[Property] = &[
            SERVICE,
            required("java.package-name", "Java Package Name", "The package of all classes"),
            optional("java.group-id", "Java Group Id", "The group of the Maven project", "generated"),
            optional("java.artifact-id", "Java Artifact Id", "The artifact of the Maven project", "client"),
            optional("java.artifact-version", "Java Artifact Version", "Its version", "1.0.0"),
        ];
        const ANDROID: &[Property] = &[
            required("groupId", "Group ID", "The group of the library"),
            required("artifactId", "Artifact ID", "The artifact, and the name of the client's class"),
            required("artifactVersion", "Artifact version", "Its version"),
            required("invokerPackage", "Invoker package", "The package of all classes"),
        ];
        const KOTLIN: &[Property] =
            &[SERVICE, required("kotlin.package-name", "Kotlin Package Name", "The package of all classes")];
        match self {
            Self::JavaScript | Self::TypeScript => &[],
            Self::Java => JAVA,
            Self::Android => ANDROID,
            Self::Swift | Self::ObjectiveC => &[PREFIX],
            Self::Ruby | Self::Python => &[SERVICE],
            Self::Kotlin => KOTLIN,
        }
    }

    /// What an SDK is called: the name of its client's class.
    pub(crate) fn service(self, given: &BTreeMap<String, String>) -> &str {
        let name = match self {
            Self::Android => "artifactId",
            Self::Swift | Self::ObjectiveC => "classPrefix",
            _ => "service.name",
        };
        given.get(name).map_or("Client", String::as_str)
    }

    /// The package of all classes, where the language has packages.
    pub(crate) fn package(self) -> Option<&'static str> {
        match self {
            Self::Java => Some("java.package-name"),
            Self::Android => Some("invokerPackage"),
            Self::Kotlin => Some("kotlin.package-name"),
            _ => None,
        }
    }
}
