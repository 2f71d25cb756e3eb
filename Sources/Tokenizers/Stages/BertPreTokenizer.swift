/// Words are what white space separates, and every punctuation mark by itself.
struct BertPreTokenizer: PreTokenizer {
    func split(_ text: inout PreTokenizedText) {
        let scalars = text.text.scalars
        var words: [Range<Int>] = []
        words.reserveCapacity(scalars.count / 4 + 1)
        for whole in text.words {
            var start = whole.lowerBound
            for index in whole {
                let scalar = scalars[index]
                if CharacterClasses.isWhitespace(scalar) {
                    if start < index { words.append(start..<index) }
                    start = index + 1
                } else if CharacterClasses.isPunctuation(scalar) {
                    if start < index { words.append(start..<index) }
                    words.append(index..<(index + 1))
                    start = index + 1
                }
            }
            if start < whole.upperBound { words.append(start..<whole.upperBound) }
        }
        text.words = words
    }
}
