/// Problems found while a graph is planned or checked, at most a hundred of them.
struct GraphProblems {
    private(set) var all: [GraphError] = []

    mutating func add(_ error: GraphError) {
        if all.count < 100, !all.contains(where: { $0.description == error.description }) { all.append(error) }
    }
}
