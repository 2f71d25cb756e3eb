import Foundation
import HidraProtocol
import Testing

@testable import hidra

private func labels(_ scores: [(String, Double)]) -> Hidra_V1_HeadPrediction {
    var head = Hidra_V1_HeadPrediction()
    head.labels = scores.map { label, value in
        var score = Hidra_V1_Score()
        score.label = label
        score.score = value
        return score
    }
    return head
}

private func number(_ value: Double) -> Hidra_V1_HeadPrediction {
    var head = Hidra_V1_HeadPrediction()
    head.value = value
    return head
}

private func prediction(_ heads: Hidra_V1_HeadPrediction...) -> Hidra_V1_Prediction {
    var prediction = Hidra_V1_Prediction()
    prediction.heads = heads
    prediction.tokens = 5
    return prediction
}

@Suite("Predictions")
struct PredictionWriterTests {
    @Test("TSV has a header once, a label and a score for each head, and a value for a number")
    func tsv() {
        var writer = PredictionWriter(heads: ["intent", "stars"], layout: .tsv)
        let first = writer.render(
            ["a card", "a\ttab and \"quotes\""],
            [prediction(labels([("x", 0.93456)]), number(4.5)), prediction(labels([("y", 1)]), number(-1))])
        #expect(
            first == "text\tintent\tintent_score\tstars\n" + "a card\tx\t0.9346\t4.5\n"
                + "\"a\ttab and \"\"quotes\"\"\"\ty\t1.0000\t-1.0\n")
        let second = writer.render(["b"], [prediction(labels([("z", 0.5)]), number(0))])
        #expect(second == "b\tz\t0.5000\t0.0\n")
    }

    @Test("Rows of several texts have a field for each column")
    func columns() {
        var tsv = PredictionWriter(heads: ["fits"], inputs: ["question", "answer"], layout: .tsv)
        #expect(
            tsv.render(rows: [["q", "a"]], [prediction(labels([("yes", 0.9)]))])
                == "question\tanswer\tfits\tfits_score\nq\ta\tyes\t0.9000\n")
        var json = PredictionWriter(heads: ["fits"], inputs: ["question", "answer"], layout: .json)
        #expect(
            json.render(rows: [["q", "a"]], [prediction(labels([("yes", 0.9)]))]).contains(
                #""inputs":{"question":"q","answer":"a"}"#))
    }

    @Test("Several labels of one text share its line")
    func multilabel() {
        var writer = PredictionWriter(heads: ["tags"], layout: .tsv, header: false)
        let text = writer.render(
            ["both", "none"], [prediction(labels([("a", 0.9), ("b", 0.6)])), prediction(labels([]))])
        #expect(text == "both\ta|b\t0.9000|0.6000\nnone\t\t\n")
    }

    @Test("JSON lines are objects that name text and heads")
    func json() throws {
        var writer = PredictionWriter(heads: ["intent", "stars"], layout: .json)
        let text = writer.render(["say \"hi\"\n"], [prediction(labels([("x", 0.25)]), number(4.5))])
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["event"] as? String == "prediction")
        #expect(object["text"] as? String == "say \"hi\"\n")
        let heads = try #require(object["heads"] as? [String: Any])
        let intent = try #require(heads["intent"] as? [String: [[String: Any]]])
        #expect(intent["labels"]?.first?["label"] as? String == "x")
        #expect(intent["labels"]?.first?["score"] as? Double == 0.25)
        #expect((heads["stars"] as? [String: Double])?["value"] == 4.5)
    }

    @Test("A terminal gets a table that fits, further labels on lines of their own")
    func table() {
        var writer = PredictionWriter(heads: ["intent"], layout: .table, width: 30)
        let text = writer.render(
            ["a text that is a good deal too long", "short"],
            [prediction(labels([("card", 0.93), ("top_up", 0.05)])), prediction(labels([("x", 1)]))])
        #expect(
            text == """
                TEXT               intent
                a text that is a…  card 0.93
                                   top_up 0.05
                short              x 1.00

                """)
        // Later batches keep the columns and do not repeat the header.
        #expect(writer.render(["b"], [prediction(labels([]))]) == "b                  (none)\n")
    }

    @Test(
        "JSON text is read back as it was written",
        arguments: [
            "", "plain", "quote \" backslash \\", "line\nbreak\r\ttab", "nul \u{0} bell \u{7} delete \u{7F}",
            "naïve 日本 👩‍👩‍👧",
            "\u{2028}\u{2029}",
        ])
    func escaping(text: String) throws {
        let line = JSON.object([("value", .string(text))]).text
        #expect(!line.contains { $0.isNewline })
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object?["value"] == text)
    }

    @Test("Numbers JSON cannot express are null")
    func numbers() {
        let values: JSON = .array([
            .number(.nan), .number(-.infinity), .number(0.1), .single(0.1), .unsigned(.max), .integer(.min),
            .bool(true), .null,
        ])
        #expect(values.text == "[null,null,0.1,0.1,18446744073709551615,-9223372036854775808,true,null]")
    }
}
