@testable import TensorCore

extension Probes {
    static let shapes: [String: @Sendable () -> [Probe]] = [
        Reshape.name: { [Probe(Reshape([6, 2]), [numbers([3, 4], 1)])] },
        Permute.name: { [Probe(Permute([2, 0, 1]), [numbers([2, 3, 4], 1)])] },
        Expand.name: { [Probe(Expand([2, 3, 4]), [numbers([3, 1], 1)])] },
        Tile.name: { [Probe(Tile([2, 1, 3]), [numbers([2, 3, 2], 1)])] },
        Slice.name: {
            [
                Probe(Slice(axis: 1, 1, 6, step: 2), [numbers([3, 7], 1)]),
                Probe(Slice(axis: -1, -2, 0, step: -2), [numbers([3, 7], 1)]),
                Probe(
                    Slice([AxisSlice(axis: 0, nil, nil, step: -1), AxisSlice(axis: 2, 1, 3)]), [numbers([3, 2, 4], 1)]),
            ]
        },
        Flip.name: { [Probe(Flip([0, 2]), [numbers([3, 2, 4], 1)])] },
        Concatenate.name: {
            [
                Probe(Concatenate(axis: 1), [numbers([2, 1, 3], 1), numbers([2, 4, 3], 2), numbers([2, 2, 3], 3)]),
                Probe(Concatenate(axis: -1), [numbers([2, 3], 1), numbers([2, 0], 2), numbers([2, 1], 3)]),
            ]
        },
        Stack.name: { [Probe(Stack(axis: -1), [numbers([2, 3], 1), numbers([2, 3], 2), numbers([2, 3], 3)])] },
        Embedding.name: {
            [
                Probe(Embedding([2, 0, 2, 4]), [numbers([5, 3], 1)]),
                Probe(Embedding([1, 1, 0, 3], shape: [2, 2]), [numbers([5, 3], 1)]),
            ]
        },
        Gather.name: {
            [Probe(Gather(axis: 1, Indices([0, 2, -1, 1, 1, 0], [2, 3])), [numbers([3, 4], 1)])]
        },
        IndexSelect.name: {
            [Probe(IndexSelect(axis: 1, Indices([3, 0, 0, -2], [2, 2])), [numbers([2, 4, 3], 1)])]
        },
        GatherBlocks.name: {
            [
                Probe(GatherBlocks(Indices([1, 0, 2, 1, 1, 0], [3, 2])), [numbers([3, 2, 4], 1)]),
                Probe(GatherBlocks(Indices([1, 0, -1, 1], [2, 2, 1]), batchAxes: 1), [numbers([2, 3, 4], 1)]),
            ]
        },
        Scatter.name: {
            let indices = Indices([0, 2, 1, 0, 0, 2], [3, 2])
            return [
                Probe(Scatter(axis: 0, indices, mode: .add), [numbers([3, 4], 1), numbers([3, 2], 2)]),
                Probe(Scatter(axis: 0, indices, mode: .set), [numbers([3, 4], 1), numbers([4, 3], 2)]),
            ]
        },
        ScatterBlocks.name: {
            let indices = Indices([1, 0, 2, 1, 1, 0], [3, 2])
            return [
                Probe(ScatterBlocks(indices, mode: .add), [numbers([3, 2, 4], 1), numbers([3, 4], 2)]),
                Probe(ScatterBlocks(indices, mode: .set), [numbers([3, 2, 4], 1), numbers([3, 4], 2)]),
            ]
        },
        Diagonal.name: {
            [Probe(Diagonal(0, 2), [numbers([3, 2, 3], 1)]), Probe(Diagonal(2, 1), [numbers([2, 3, 3], 1)])]
        },
        Triangle.name: {
            [
                Probe(Triangle(upper: true, diagonal: 1), [numbers([2, 3, 4], 1)]),
                Probe(Triangle(upper: false, diagonal: -1), [numbers([4, 3], 1)]),
            ]
        },
    ]
}
