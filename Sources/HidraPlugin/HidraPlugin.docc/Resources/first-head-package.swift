// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "praise",
    dependencies: [.package(path: "../hidra")],
    targets: [
        .executableTarget(name: "praise", dependencies: [.product(name: "HidraPlugin", package: "hidra")])
    ]
)
