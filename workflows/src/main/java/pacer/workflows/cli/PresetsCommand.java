package pacer.workflows.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.Quantities;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.Preset;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.RunSpec;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "presets", description = "List the presets, or show one with all its settings.")
final class PresetsCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "PRESET", description = "The preset to show; without it, all are listed.")
    private String name;

    @Mixin
    private OutputOption output;

    private final Console console;

    PresetsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (name == null) {
            list(Presets.all());
        } else {
            show(Presets.named(name));
        }
        return Exit.OK;
    }

    private void list(List<Preset> presets) {
        if (output.json()) {
            console.json(presets.stream().map(PresetsCommand::facts).toList());
            return;
        }
        Terminal out = console.out();
        Table table = new Table(out, "PRESET", ">PARAMETERS", ">TOKENS", ">EXPECTED", "");
        for (Preset preset : presets) {
            table.row(
                    out.paint(Tone.STRONG, preset.name()),
                    Quantities.count(preset.parameters()),
                    Quantities.count(preset.tokens()),
                    expected(preset.spec()),
                    preset.description());
        }
        table.print();
        out.println("");
        out.println(
                "Show one: %s presets NAME    Run one: %s run NAME".formatted(console.program(), console.program()));
    }

    private void show(Preset preset) {
        if (output.json()) {
            console.json(facts(preset));
            return;
        }
        Terminal out = console.out();
        out.println(out.paint(Tone.STRONG, preset.name()) + "  " + preset.description());
        out.println("");
        preset.facts().forEach((label, text) -> {
            String head = label;
            for (String line : Terminal.wrapped(text, out.columns() - 14)) {
                out.println(out.paint(Tone.QUIET, head + " ".repeat(Math.max(1, 12 - head.length()))) + line);
                head = "";
            }
        });
        String section = "";
        for (Map.Entry<String, String> setting :
                CanonicalYaml.flatten(preset.spec()).entrySet()) {
            String path = setting.getKey();
            String in = path.contains(".") ? path.substring(0, path.indexOf('.')) : "";
            if (!in.equals(section)) {
                out.println("");
                section = in;
            }
            out.println("  " + path + " = " + setting.getValue().replace("\n", "\\n"));
        }
        out.println("");
        out.println("Change a setting: %s run %s --set train.steps=500".formatted(console.program(), preset.name()));
    }

    private static String expected(RunSpec spec) {
        double loss = spec.expectation().validationLoss();
        return loss > 0
                ? "≤ " + loss
                : spec.expectation().referenceLoss() > 0
                        ? "~ " + spec.expectation().referenceLoss()
                        : "";
    }

    private static SequencedMap<String, Object> facts(Preset preset) {
        SequencedMap<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", preset.name());
        facts.put("description", preset.description());
        facts.put("parameters", preset.parameters());
        facts.put("tokens", preset.tokens());
        facts.put("facts", preset.facts());
        facts.put("settings", CanonicalYaml.flatten(preset.spec()));
        return facts;
    }
}
