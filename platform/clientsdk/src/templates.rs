//! The templates of the sources, which are part of the program.

use crate::kind::Kind;

macro_rules! templates {
    ($($path:literal: $file:literal),* $(,)?) => {
        vec![$(($path, include_str!(concat!("../templates/", $file)))),*]
    };
}

/// The templates of a kind, by the paths of their files.
pub(crate) fn of(kind: Kind) -> Vec<(&'static str, &'static str)> {
    match kind {
        Kind::JavaScript => templates!(
            "apiGateway-js-sdk/apigClient.js": "javascript/apigClient.js",
            "apiGateway-js-sdk/package.json": "javascript/package.json",
            "apiGateway-js-sdk/README.md": "javascript/README.md",
        ),
        Kind::TypeScript => templates!(
            "apiGateway-ts-sdk/src/client.ts": "typescript/client.ts",
            "apiGateway-ts-sdk/src/transport.ts": "typescript/transport.ts",
            "apiGateway-ts-sdk/package.json": "typescript/package.json",
            "apiGateway-ts-sdk/tsconfig.json": "typescript/tsconfig.json",
            "apiGateway-ts-sdk/README.md": "typescript/README.md",
        ),
        Kind::Python => templates!(
            "{module}/__init__.py": "python/client.py",
            "{module}/transport.py": "python/transport.py",
            "pyproject.toml": "python/pyproject.toml",
            "README.md": "python/README.md",
        ),
        Kind::Ruby => templates!(
            "lib/{module}.rb": "ruby/client.rb",
            "lib/{module}/transport.rb": "ruby/transport.rb",
            "{module}.gemspec": "ruby/gemspec",
            "README.md": "ruby/README.md",
        ),
        Kind::Java | Kind::Android => java(kind),
        Kind::Kotlin => templates!(
            "src/main/kotlin/{package}/{service}.kt": "kotlin/Client.kt",
            "src/main/kotlin/{package}/Transport.kt": "kotlin/Transport.kt",
            "build.gradle.kts": "kotlin/build.gradle.kts",
            "README.md": "kotlin/README.md",
        ),
        Kind::Swift => templates!(
            "Sources/{service}/{service}Client.swift": "swift/Client.swift",
            "Sources/{service}/{service}Transport.swift": "swift/Transport.swift",
            "Package.swift": "swift/Package.swift",
            "README.md": "swift/README.md",
        ),
        Kind::ObjectiveC => templates!(
            "{service}Client.h": "objectivec/Client.h",
            "{service}Client.m": "objectivec/Client.m",
            "{service}Transport.h": "objectivec/Transport.h",
            "{service}Transport.m": "objectivec/Transport.m",
            "README.md": "objectivec/README.md",
        ),
    }
}

/// Android's sources are those for Java; only what builds them differs.
fn java(kind: Kind) -> Vec<(&'static str, &'static str)> {
    let mut all = templates!(
        "src/main/java/{package}/{service}.java": "java/Client.java",
        "src/main/java/{package}/Models.java": "java/Models.java",
        "src/main/java/{package}/Transport.java": "java/Transport.java",
        "src/main/java/{package}/Signer.java": "java/Signer.java",
        "src/main/java/{package}/Json.java": "java/Json.java",
        "src/main/java/{package}/ApiException.java": "java/ApiException.java",
        "README.md": "java/README.md",
    );
    all.extend(match kind {
        Kind::Android => templates!(
            "build.gradle": "java/build.gradle",
            "src/main/AndroidManifest.xml": "java/AndroidManifest.xml",
        ),
        _ => templates!("pom.xml": "java/pom.xml"),
    });
    all
}
