package pacer.activities.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import pacer.trainer.spec.Nearest;

/** Reads a {@link RunRequest} that may have been written by hand, with every fault in it. */
final class RequestReader {
    private static final List<String> FIELDS =
            List.of("preset", "overrides", "config", "note", "run", "sets", "budget", "lastStep", "host", "faults");
    private static final List<String> LIMITS = List.of("hours", "dollars");
    private static final int SHOWN = 60;

    private static final List<String> OF_PREPARATION =
            List.of("preset", "overrides", "config", "sets", "dataset", "host", "faults");

    private static final List<String> OF_RECORD = List.of(
            "preset",
            "overrides",
            "config",
            "note",
            "sets",
            "budget",
            "runs",
            "target",
            "looks",
            "parallel",
            "seed",
            "faults");

    private static final List<String> OF_SWEEP = List.of(
            "preset",
            "overrides",
            "config",
            "note",
            "sets",
            "budget",
            "vary",
            "rows",
            "seeds",
            "parallel",
            "stopEarly",
            "sweep",
            "host",
            "faults");

    private final JsonNode input;
    private final List<String> faults = new ArrayList<>();

    RequestReader(JsonNode input) {
        this.input = input;
    }

    RunRequest read() {
        if (!input.isObject()) {
            faults.add("the input is " + shown(input) + ", must be an object such as {\"preset\": \"quickstart\"}");
            return new RunRequest(null, null, null, null, null, null, null, null, null, faults);
        }
        unknown(input, "", FIELDS, List.of("preset", "overrides", "note", "budget"));
        texts("faults").stream().filter(Objects::nonNull).forEach(faults::add); // found when this was read before
        return new RunRequest(
                text("preset", "the name of a preset, such as \"quickstart\""),
                settings("overrides", "an object such as {\"train.steps\": 500}"),
                texts("config"),
                text("note", "a text"),
                text("run", "the id of a run"),
                texts("sets"),
                budget(),
                lastStep(),
                host(),
                faults);
    }

    PreparationRequest readPreparation() {
        if (!input.isObject()) {
            faults.add(
                    "the input is " + shown(input)
                            + ", must be an object such as {\"preset\": \"quickstart\"} or {\"dataset\": {\"url\": \"s3://BUCKET/KEY\"}}");
            return new PreparationRequest(null, null, null, null, null, null, faults);
        }
        unknown(input, "", OF_PREPARATION, List.of("preset", "overrides", "dataset"));
        texts("faults").stream().filter(Objects::nonNull).forEach(faults::add); // found when this was read before
        return new PreparationRequest(
                text("preset", "the name of a preset, such as \"quickstart\""),
                settings("overrides", "an object such as {\"dataset.shards\": 9}"),
                texts("config"),
                texts("sets"),
                input.hasNonNull("dataset")
                        ? settings("dataset", "an object such as {\"url\": \"s3://BUCKET/KEY\"}")
                        : null,
                text("host", "the name of a host"),
                faults);
    }

    RecordRequest readRecord() {
        if (!input.isObject()) {
            faults.add("the input is " + shown(input)
                    + ", must be an object such as {\"preset\": \"quickstart\", \"runs\": 5, \"target\": 1.9}");
            return new RecordRequest(null, null, null, null, null, null, null, null, null, null, null, faults);
        }
        unknown(input, "", OF_RECORD, List.of("preset", "runs", "target", "overrides", "note", "budget"));
        texts("faults").stream().filter(Objects::nonNull).forEach(faults::add); // found when this was read before
        return new RecordRequest(
                text("preset", "the name of a preset, such as \"quickstart\""),
                settings("overrides", "an object such as {\"train.steps\": 500}"),
                texts("config"),
                text("note", "a text"),
                texts("sets"),
                budget(),
                whole("runs", "a whole number, such as 5").map(Long::intValue).orElse(null),
                input.hasNonNull("target") ? number(input, "", "target") : null,
                numbers("looks"),
                whole("parallel", "a whole number, such as 2")
                        .map(Long::intValue)
                        .orElse(null),
                whole("seed", "a whole number, such as 1337").orElse(null),
                faults);
    }

    SweepRequest readSweep() {
        if (!input.isObject()) {
            faults.add(
                    "the input is " + shown(input)
                            + ", must be an object such as {\"preset\": \"quickstart\", \"vary\": {\"optimizer.learningRate\": [0.001, 0.003]}, \"seeds\": 3}");
            return new SweepRequest(
                    null, null, null, null, null, null, null, null, null, null, null, null, null, faults);
        }
        unknown(input, "", OF_SWEEP, List.of("preset", "vary", "rows", "seeds", "parallel", "stopEarly", "budget"));
        texts("faults").stream().filter(Objects::nonNull).forEach(faults::add); // found when this was read before
        return new SweepRequest(
                text("preset", "the name of a preset, such as \"quickstart\""),
                settings("overrides", "an object such as {\"train.steps\": 500}"),
                texts("config"),
                text("note", "a text"),
                texts("sets"),
                budget(),
                varied(),
                rows(),
                small("seeds", "a whole number, such as 3"),
                small("parallel", "a whole number, such as 2"),
                small("stopEarly", "from which validation on, a whole number such as 3"),
                text("sweep", "the id of a sweep"),
                text("host", "the name of the host that has the folder of \"sweep\""),
                faults);
    }

    private Integer small(String field, String rule) {
        return whole(field, rule).map(Long::intValue).orElse(null);
    }

    /** Values as they would be written after {@code --set}. */
    private Map<String, List<String>> varied() {
        String rule = "an object such as {\"optimizer.learningRate\": [0.001, 0.003]}";
        Map<String, List<String>> all = new LinkedHashMap<>();
        JsonNode value = input.path("vary");
        if (!value.isObject()) {
            refuseUnlessAbsent(value, "vary", rule);
            return all;
        }
        value.properties().forEach(entry -> {
            if (!entry.getValue().isArray()) {
                faults.add("vary.%s: %s, must be a list of values, such as [0.001, 0.003]"
                        .formatted(entry.getKey(), shown(entry.getValue())));
                return;
            }
            List<String> values = new ArrayList<>();
            entry.getValue()
                    .forEach(one -> written("vary." + entry.getKey(), one).ifPresent(values::add));
            all.put(entry.getKey(), values);
        });
        return all;
    }

    private List<Map<String, String>> rows() {
        List<Map<String, String>> rows = new ArrayList<>();
        JsonNode value = input.path("rows");
        if (!value.isArray()) {
            refuseUnlessAbsent(value, "rows", "a list of objects such as {\"optimizer.learningRate\": 0.003}");
            return rows;
        }
        value.forEach(row -> {
            if (!row.isObject()) {
                faults.add("rows: %s, must be an object such as {\"optimizer.learningRate\": 0.003}"
                        .formatted(shown(row)));
                return;
            }
            Map<String, String> settings = new LinkedHashMap<>();
            row.properties().forEach(entry -> written("rows." + entry.getKey(), entry.getValue())
                    .ifPresent(text -> settings.put(entry.getKey(), text)));
            rows.add(settings);
        });
        return rows;
    }

    private Optional<String> written(String field, JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> Optional.of(value.textValue());
            case NUMBER -> Optional.of(value.decimalValue().toPlainString());
            case BOOLEAN -> Optional.of(Boolean.toString(value.booleanValue()));
            default -> {
                faults.add("%s: %s, must be one value".formatted(field, shown(value)));
                yield Optional.empty();
            }
        };
    }

    private Optional<Long> whole(String field, String rule) {
        JsonNode value = input.path(field);
        if (value.isInt() || (value.isLong() && field.equals("seed"))) {
            return Optional.of(value.longValue());
        }
        refuseUnlessAbsent(value, field, rule);
        return Optional.empty();
    }

    private List<Integer> numbers(String field) {
        JsonNode value = input.path(field);
        List<Integer> numbers = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(entry -> {
                if (entry.isInt()) {
                    numbers.add(entry.intValue());
                } else {
                    faults.add("%s: %s, must be a whole number".formatted(field, shown(entry)));
                }
            });
        } else {
            refuseUnlessAbsent(value, field, "a list of whole numbers, such as [3, 5]");
        }
        return numbers;
    }

    private void unknown(JsonNode object, String before, List<String> known, List<String> named) {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                String near = Nearest.among(name, known)
                        .map(found -> found.question() + " ")
                        .orElse("");
                faults.add(
                        "%s%s: no such field; %sthere is %s".formatted(before, name, near, String.join(", ", named)));
            }
        });
    }

    private String text(String field, String rule) {
        JsonNode value = input.path(field);
        if (value.isTextual()) {
            return value.textValue();
        }
        refuseUnlessAbsent(value, field, rule);
        return null;
    }

    private List<String> texts(String field) {
        JsonNode value = input.path(field);
        if (value.isTextual()) {
            return List.of(value.textValue());
        }
        List<String> texts = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(entry -> {
                if (!entry.isTextual()) {
                    refuseUnlessAbsent(entry, field, "a list of texts");
                }
                texts.add(entry.textValue());
            });
        } else {
            refuseUnlessAbsent(value, field, "a list of texts");
        }
        return texts;
    }

    private Map<String, Object> settings(String field, String rule) {
        Map<String, Object> settings = new LinkedHashMap<>();
        JsonNode value = input.path(field);
        if (value.isObject()) {
            flatten(field + ".", "", value, settings);
        } else {
            refuseUnlessAbsent(value, field, rule);
        }
        return settings;
    }

    /** {@code {"train": {"steps": 500}}} is meant as {@code {"train.steps": 500}}. */
    private void flatten(String field, String before, JsonNode object, Map<String, Object> settings) {
        object.properties().forEach(entry -> {
            String path = before + entry.getKey();
            JsonNode value = entry.getValue();
            if (value.isObject()) {
                flatten(field, path + ".", value, settings);
            } else if (value.isArray()) {
                faults.add("%s%s: %s, must be one value".formatted(field, path, shown(value)));
            } else {
                settings.put(path, plain(value));
            }
        });
    }

    /** A text, a number or a truth value; null where it is none of them. */
    static Object plain(JsonNode value) {
        return switch (value.getNodeType()) {
            case STRING -> value.textValue();
            case NUMBER -> value.numberValue();
            case BOOLEAN -> value.booleanValue();
            default -> null;
        };
    }

    private Integer lastStep() {
        JsonNode value = input.path("lastStep");
        if (value.isInt() && value.intValue() > 0 && input.path("run").isTextual()) {
            return value.intValue();
        }
        refuseUnlessAbsent(
                value,
                "lastStep",
                "a whole number above 0, of a run that is gone on with; for a new one: {\"overrides\": {\"train.steps\": 500}}");
        return null;
    }

    private String host() {
        JsonNode value = input.path("host");
        if (value.isTextual()
                && !value.textValue().isBlank()
                && input.path("run").isTextual()) {
            return value.textValue();
        }
        refuseUnlessAbsent(
                value, "host", "the name of the host that has the folder of \"run\", a run that is gone on with");
        return null;
    }

    private Budget budget() {
        JsonNode value = input.path("budget");
        if (value.isTextual()) {
            try {
                return Budget.parse(value.textValue());
            } catch (BadInputException e) {
                faults.add(e.getMessage());
                return null;
            }
        }
        if (!value.isObject()) {
            refuseUnlessAbsent(value, "budget", "an object such as {\"hours\": 2}, or a text such as \"2h\"");
            return null;
        }
        unknown(value, "budget.", LIMITS, LIMITS);
        return new Budget(number(value, "budget.", "hours"), number(value, "budget.", "dollars"));
    }

    private Double number(JsonNode object, String before, String field) {
        JsonNode value = object.path(field);
        if (value.isNumber()) {
            return value.doubleValue();
        }
        refuseUnlessAbsent(value, before + field, "a number");
        return null;
    }

    private void refuseUnlessAbsent(JsonNode value, String field, String rule) {
        if (!value.isMissingNode() && !value.isNull()) {
            faults.add("%s: %s, must be %s".formatted(field, shown(value), rule));
        }
    }

    private static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }
}
