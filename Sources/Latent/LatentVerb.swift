/// What can be done in a latent space.
package enum LatentVerb: String, Sendable, Codable, CaseIterable {
    /// Images → codes.
    case encode
    /// Codes → images.
    case decode
    /// Images → codes → images, and how close they come.
    case reconstruct
    /// Codes drawn at random → images.
    case sample
    /// From one image to another, in steps.
    case interpolate
    /// An image with a direction added to its code.
    case edit
    /// "A is to B as C is to …": the code `C + B − A`.
    case analogy
    /// Where many images' codes lie on a plane.
    case map
    /// What is decoded over the plane of the two largest axes.
    case grid
    /// Learns directions from images with labels, or from their codes' axes.
    case learn
}

/// What a verb is asked to do.
package struct LatentTask: Sendable {
    package var verb: LatentVerb
    /// Images; their names for messages, and their labels where there are any.
    package var images: PixelSet
    package var names: [String] = []
    package var labels: [String] = []
    /// Codes in the place of images, row-major `[rows, width]`.
    package var codes: [Float] = []
    package var codeWidth = 0
    /// Images to draw, or steps of an interpolation, or images a side of a grid.
    package var count = 0
    package var seed: UInt64 = 0
    /// Scales the deviation of what is drawn.
    package var temperature = 1.0
    package var direction = ""
    package var amounts: [Double] = []
    package var method = LatentDirection.Method.means
    /// The label that a direction leads to; and the one it leads from, empty: all others.
    package var label = ""
    package var against = ""

    package init(_ verb: LatentVerb, images: PixelSet) {
        (self.verb, self.images) = (verb, images)
    }
}

/// What came of it.
package struct LatentOutcome: Sendable {
    /// One for each image, code or step: what it is, and its figures (`psnr`, `ssim`, `kl`, `amount` …).
    package struct Item: Sendable, Equatable {
        package var name: String
        package var figures: [String: Double] = [:]
        package init(_ name: String, _ figures: [String: Double] = [:]) { (self.name, self.figures) = (name, figures) }
    }

    package var items: [Item] = []
    /// Means over the items, and what there is one of.
    package var figures: [String: Double] = [:]
    /// Row-major `[rows, code]`.
    package var codes: [Float] = []
    package var codeWidth = 0
    /// PNG of all pictures together; empty where there is nothing to see.
    package var sheet: [UInt8] = []
    /// PNG of each picture that was made, as it is.
    package var pictures: [[UInt8]] = []
    package var directions: [LatentDirection] = []
    package var notes: [String] = []

    package init() {}
}
