package pacer.activities.publishing.report;

/** Text made safe for a page: samples, prompts, notes and names may hold anything. */
final class Html {
    private Html() {}

    /** For element content and quoted attributes; characters that XML and browsers refuse become U+FFFD. */
    static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                case '\r' -> {
                    // a line break of two characters is one line break here
                }
                default -> out.appendCodePoint(allowed(c) ? c : 0xFFFD);
            }
        });
        return out.toString();
    }

    private static boolean allowed(int c) {
        boolean control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
        boolean loneSurrogate = c >= 0xD800 && c <= 0xDFFF;
        // what turns the direction of the text around it could make one value look like another
        boolean bidi = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        return !control && !loneSurrogate && !bidi && (c & 0xFFFE) != 0xFFFE;
    }
}
