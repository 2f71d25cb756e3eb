import CCairo

/// Why a picture could not be drawn or written.
package struct ChartError: Error, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

package enum PictureFormat: String, Sendable, CaseIterable { case png, svg }

struct Point { var x: Double, y: Double }

struct Box {
    var x: Double, y: Double, width: Double, height: Double

    var right: Double { x + width }
    var bottom: Double { y + height }
    var middle: Point { Point(x: x + width / 2, y: y + height / 2) }

    func inset(left: Double = 0, top: Double = 0, right: Double = 0, bottom: Double = 0) -> Box {
        Box(x: x + left, y: y + top, width: width - left - right, height: height - top - bottom)
    }

    func overlaps(_ other: Box) -> Bool { x < other.right && other.x < right && y < other.bottom && other.y < bottom }
}

/// A drawing surface, in points with the origin at the top left; lines, shapes and text by cairo.
final class Canvas {
    enum Anchor { case left, centre, right }

    let width: Double, height: Double
    private let surface: OpaquePointer, context: OpaquePointer
    private let path: String, format: PictureFormat

    /// PNG files have two pixels for each point.
    private static let resolution = 2.0

    init(width: Double, height: Double, path: String, format: PictureFormat) throws {
        (self.width, self.height, self.path, self.format) = (width, height, path, format)
        switch format {
        case .png:
            surface = cairo_image_surface_create(
                CAIRO_FORMAT_RGB24, Int32(width * Self.resolution), Int32(height * Self.resolution))
        case .svg:
            surface = cairo_svg_surface_create(path, width, height)
        }
        context = cairo_create(surface)
        if format == .png { cairo_scale(context, Self.resolution, Self.resolution) }
        try check()
        fill(Box(x: 0, y: 0, width: width, height: height), .white)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    /// Writes the file.
    func finish() throws {
        try check()
        if format == .png {
            let status = cairo_surface_write_to_png(surface, path)
            guard status == CAIRO_STATUS_SUCCESS else { throw Self.error(status, path) }
        }
        cairo_surface_finish(surface)
        let status = cairo_surface_status(surface)
        guard status == CAIRO_STATUS_SUCCESS else { throw Self.error(status, path) }
    }

    private func check() throws {
        for status in [cairo_status(context), cairo_surface_status(surface)] where status != CAIRO_STATUS_SUCCESS {
            throw Self.error(status, path)
        }
    }

    private static func error(_ status: cairo_status_t, _ path: String) -> ChartError {
        ChartError("\(path) cannot be written: \(String(cString: cairo_status_to_string(status)))")
    }

    // MARK: Shapes

    private func set(_ colour: Colour) { cairo_set_source_rgba(context, colour.red, colour.green, colour.blue, colour.opacity) }

    func fill(_ box: Box, _ colour: Colour) {
        set(colour)
        cairo_rectangle(context, box.x, box.y, box.width, box.height)
        cairo_fill(context)
    }

    func frame(_ box: Box, _ colour: Colour, width: Double = 1) {
        set(colour)
        cairo_set_line_width(context, width)
        cairo_rectangle(context, box.x, box.y, box.width, box.height)
        cairo_stroke(context)
    }

    func dot(_ centre: Point, radius: Double, _ colour: Colour) {
        set(colour)
        cairo_new_sub_path(context)
        cairo_arc(context, centre.x, centre.y, radius, 0, 2 * Double.pi)
        cairo_fill(context)
    }

    func line(_ points: [Point], _ colour: Colour, width: Double = 1, dashes: [Double] = []) {
        guard let first = points.first, points.count > 1 else { return }
        set(colour)
        cairo_set_line_width(context, width)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
        cairo_set_dash(context, dashes, Int32(dashes.count), 0)
        cairo_move_to(context, first.x, first.y)
        for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
        cairo_stroke(context)
        cairo_set_dash(context, [], 0, 0)
    }

    func clipped(to box: Box, _ body: () -> Void) {
        cairo_save(context)
        cairo_rectangle(context, box.x, box.y, box.width, box.height)
        cairo_clip(context)
        body()
        cairo_restore(context)
    }

    // MARK: Text

    private func select(_ size: Double, bold: Bool) {
        cairo_select_font_face(
            context, "DejaVu Sans, Helvetica, Arial, sans-serif", CAIRO_FONT_SLANT_NORMAL,
            bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
    }

    func textWidth(_ text: String, size: Double, bold: Bool = false) -> Double {
        select(size, bold: bold)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return extents.x_advance
    }

    /// Text whose middle height is at `at`; turned upwards, it runs from below to above.
    func text(
        _ text: String, at point: Point, size: Double, anchor: Anchor = .left, upwards: Bool = false, bold: Bool = false,
        _ colour: Colour = .ink, halo: Bool = false
    ) {
        let length = textWidth(text, size: size, bold: bold)
        let shift =
            switch anchor {
            case .left: 0.0
            case .centre: -length / 2
            case .right: -length
            }
        cairo_save(context)
        cairo_translate(context, point.x, point.y)
        if upwards { cairo_rotate(context, -Double.pi / 2) }
        if halo {
            cairo_move_to(context, shift, size * 0.36)
            cairo_text_path(context, text)
            set(Colour(1, 1, 1, 0.85))
            cairo_set_line_width(context, 3)
            cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
            cairo_stroke(context)
        }
        set(colour)
        cairo_move_to(context, shift, size * 0.36)
        cairo_show_text(context, text)
        cairo_restore(context)
    }

    /// The text, or as much of it as fits, ended by "…".
    func fitted(_ text: String, size: Double, width: Double, bold: Bool = false) -> String {
        guard textWidth(text, size: size, bold: bold) > width else { return text }
        var part = text
        while !part.isEmpty, textWidth(part + "…", size: size, bold: bold) > width { part.removeLast() }
        return part + "…"
    }
}
