package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code --vary} and {@code --row} say. */
final class Varied {
    private Varied() {}

    /** {@code NAME=VALUE,VALUE,…} each. */
    static Map<String, List<String>> grid(List<String> words) {
        Map<String, List<String>> grid = new LinkedHashMap<>();
        for (String word : words) {
            String[] parts = setting("--vary", word, "optimizer.learningRate=1e-3,3e-3");
            if (grid.putIfAbsent(parts[0], values(parts[1])) != null) {
                throw new Mistake("--vary %s: it varies already; give all its values at once: --vary %s=A,B,C"
                        .formatted(word, parts[0]));
            }
        }
        return grid;
    }

    /** {@code NAME=VALUE,NAME=VALUE,…} each. */
    static List<Map<String, String>> rows(List<String> words) {
        List<Map<String, String>> rows = new ArrayList<>();
        for (String word : words) {
            Map<String, String> row = new LinkedHashMap<>();
            for (String one : word.split(",(?=[A-Za-z][A-Za-z0-9.]*=)", -1)) {
                String[] parts = setting("--row", one, "optimizer.learningRate=1e-3,train.steps=500");
                if (row.put(parts[0], parts[1]) != null) {
                    throw new Mistake("--row %s: %s is there twice".formatted(word, parts[0]));
                }
            }
            rows.add(row);
        }
        return rows;
    }

    private static String[] setting(String option, String word, String example) {
        int equals = word.indexOf('=');
        if (equals < 1 || equals == word.length() - 1) {
            throw new Mistake("%s %s: must name a setting and what it is to be, such as %s %s"
                    .formatted(option, word, option, example));
        }
        return new String[] {word.substring(0, equals), word.substring(equals + 1)};
    }

    /** Parts between commas, but for those in quotes and brackets. */
    private static List<String> values(String text) {
        List<String> values = new ArrayList<>();
        StringBuilder value = new StringBuilder();
        int depth = 0;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if ((c == '\'' || c == '"') && value.isEmpty()) {
                quote = c;
            } else if (c == '[' || c == '{') {
                depth++;
            } else if (c == ']' || c == '}') {
                depth--;
            } else if (c == ',' && depth == 0) {
                values.add(value.toString().strip());
                value.setLength(0);
                continue;
            }
            value.append(c);
        }
        values.add(value.toString().strip());
        return values;
    }
}
