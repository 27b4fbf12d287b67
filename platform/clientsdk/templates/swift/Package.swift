// swift-tools-version:5.5
import PackageDescription

let package = Package(
    name: "{{ service }}",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "{{ service }}", targets: ["{{ service }}"])],
    targets: [.target(name: "{{ service }}")]
)
