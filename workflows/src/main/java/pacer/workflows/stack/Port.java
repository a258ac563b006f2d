package pacer.workflows.stack;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import pacer.activities.run.BadInputException;

/** Ports of the stack by name, with the numbers that each tool is known by. */
enum Port {
    TEMPORAL(7233),
    TEMPORAL_UI(8233),
    TEMPORAL_METRICS(9466),
    MLFLOW(5000),
    S3(7070),
    PROMETHEUS(9090),
    GRAFANA(3000),
    /** The worker's {@code /metrics}. */
    METRICS(9464),
    /** Decrypts payloads for the UI, where they are encrypted. */
    CODEC(8081);

    private final int usual;

    Port(int usual) {
        this.usual = usual;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Map<Port, Integer> usual() {
        Map<Port, Integer> ports = new EnumMap<>(Port.class);
        for (Port port : values()) {
            ports.put(port, port.usual);
        }
        return ports;
    }

    /**
     * {@code before} with the settings {@code NAME=PORT} in place of theirs.
     *
     * @throws BadInputException with every fault
     */
    static Map<Port, Integer> with(Map<Port, Integer> before, List<String> settings) {
        Map<Port, Integer> ports = new EnumMap<>(before);
        List<String> faults = settings.stream()
                .map(setting -> put(ports, setting))
                .filter(fault -> !fault.isEmpty())
                .collect(Collectors.toList());
        ports.entrySet().stream()
                .collect(Collectors.groupingBy(Map.Entry::getValue))
                .forEach((number, same) -> {
                    if (same.size() > 1) {
                        faults.add("--port: %s would share port %d; give one of them another"
                                .formatted(
                                        same.stream()
                                                .map(e -> e.getKey().label())
                                                .collect(Collectors.joining(" and ")),
                                        number));
                    }
                });
        if (!faults.isEmpty()) {
            throw new BadInputException(String.join("\n", faults));
        }
        return ports;
    }

    private static String put(Map<Port, Integer> ports, String setting) {
        int at = setting.indexOf('=');
        String name = at < 0 ? setting : setting.substring(0, at);
        Port port = Arrays.stream(values())
                .filter(p -> p.label().equals(name))
                .findFirst()
                .orElse(null);
        if (port == null) {
            return "--port %s: no such name; there is %s"
                    .formatted(setting, Arrays.stream(values()).map(Port::label).collect(Collectors.joining(", ")));
        }
        String number = at < 0 ? "" : setting.substring(at + 1);
        if (!number.matches("[0-9]{1,5}") || Integer.parseInt(number) < 1 || Integer.parseInt(number) > 65_535) {
            return "--port %s: must be %s=NUMBER with a number from 1 to 65535".formatted(setting, port.label());
        }
        ports.put(port, Integer.parseInt(number));
        return "";
    }
}
