package pacer.workflows.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import pacer.activities.publishing.report.Quantities;
import pacer.trainer.memory.MemoryFact;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.Preset;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.RunSpec;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "presets",
        description = "List the presets, or print one with all its settings as a file to save and change.")
final class PresetsCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "PRESET",
            completionCandidates = Completions.OfPresets.class,
            description = "A preset's name or a YAML file; without it, all are listed.")
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
        Table table = new Table(out, "PRESET", ">PARAMETERS", ">TOKENS", ">MEMORY", ">EXPECTED", "");
        for (Preset preset : presets) {
            table.row(
                    out.paint(Tone.STRONG, preset.name()),
                    Quantities.count(preset.parameters()),
                    Quantities.count(preset.tokens()),
                    MemoryFact.onCpu(preset).orElse(""),
                    expected(preset.spec()),
                    preset.description());
        }
        table.print();
        out.println("");
        out.flow(
                "Show one: %s presets NAME    Run one: %s run NAME".formatted(console.program(), console.program()), 2);
    }

    private void show(Preset preset) {
        if (output.json()) {
            console.json(facts(preset));
            return;
        }
        // a file to save and to run: what is for people is in comments
        Terminal out = console.out();
        comment(preset.name() + ": " + preset.description(), 2);
        preset.facts().forEach((label, text) -> comment(label + ": " + text, 4));
        CanonicalYaml.write(preset.spec()).lines().forEach(line -> out.println(Terminal.harmless(line)));
        out.println("");
        comment(
                "Change a setting: %s run %s --set train.steps=500".formatted(console.program(), Hints.quoted(name)),
                2);
        comment("Or save this, change it and run the file: %s run ./FILE.yaml".formatted(console.program()), 2);
    }

    private void comment(String text, int indent) {
        Terminal out = console.out();
        String head = "# ";
        for (String line : Terminal.wrapped(Terminal.harmless(text), Math.max(20, out.columns() - indent))) {
            out.println(out.paint(Tone.QUIET, head + line));
            head = "#" + " ".repeat(indent - 1);
        }
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
        if (preset.facts().containsKey("parameters")) { // a file of one's own need not say
            facts.put("parameters", preset.parameters());
        }
        facts.put("tokens", preset.tokens());
        facts.put("facts", preset.facts());
        facts.put("settings", CanonicalYaml.flatten(preset.spec()));
        return facts;
    }
}
