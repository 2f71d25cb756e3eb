/// Hidden states of texts, `[tokens, width]` for each row, in several buffers so that none of them is ever copied to grow.
package struct TokenStates: Sendable {
    /// Where a row's states lie. Rows with the same text share them.
    package struct Place: Sendable, Equatable {
        package let chunk: Int, start: Int
        package let tokens: Int

        /// - Parameter start: of the first float in the chunk.
        package init(chunk: Int, start: Int, tokens: Int) {
            self.chunk = chunk
            self.start = start
            self.tokens = tokens
        }
    }

    package let chunks: [[Float]]
    package let places: [Place]
    package let width: Int

    package init(chunks: [[Float]], places: [Place], width: Int) {
        precondition(
            places.allSatisfy { $0.start + $0.tokens * width <= chunks[$0.chunk].count },
            "token states beyond their chunks")
        self.chunks = chunks
        self.places = places
        self.width = width
    }

    package var rows: Int { places.count }

    /// Only these rows, in this order; nothing is copied.
    package func selecting(_ rows: [Int]) -> TokenStates {
        TokenStates(chunks: chunks, places: rows.map { places[$0] }, width: width)
    }

    /// Calls `body` with a row's `[tokens, width]` floats.
    package func withStates<Value>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) -> Value) -> Value {
        let place = places[row]
        return chunks[place.chunk].withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[place.start..<place.start + place.tokens * width]))
        }
    }
}
