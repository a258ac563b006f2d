package pacer.trainer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.data.BadDataException;

/** The arguments of a trainer process: pairs of {@code --name value}. They come from a program; people use the command line. */
final class Arguments {
    private final String program;
    private final Map<String, String> values = new LinkedHashMap<>();

    private Arguments(String program) {
        this.program = program;
    }

    /**
     * Reads {@code args}.
     *
     * @throws BadDataException naming what is unknown, doubled, lacks its value or is missing
     */
    static Arguments parse(String program, String[] args, List<String> required, List<String> optional) {
        Arguments parsed = new Arguments(program);
        for (int i = 0; i < args.length; i += 2) {
            String name = args[i].startsWith("--") ? args[i].substring(2) : "";
            if (!required.contains(name) && !optional.contains(name)) {
                throw parsed.fault("\"" + args[i] + "\" is unknown; known are " + required + " and " + optional);
            }
            if (i + 1 == args.length) {
                throw parsed.fault(args[i] + " lacks its value");
            }
            if (parsed.values.put(name, args[i + 1]) != null) {
                throw parsed.fault(args[i] + " is given twice");
            }
        }
        for (String name : required) {
            if (!parsed.values.containsKey(name)) {
                throw parsed.fault("--" + name + " is missing");
            }
        }
        return parsed;
    }

    String text(String name) {
        return values.get(name);
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    int integer(String name, int otherwise) {
        String text = values.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw fault("--" + name + " " + text + ": a whole number is expected");
        }
    }

    private BadDataException fault(String what) {
        return new BadDataException(program + ": " + what);
    }
}
