package pacer.workflows.cli;

import picocli.CommandLine.Option;

/** Text for people or JSON for scripts. */
final class OutputOption {
    /** Forms of output. */
    enum Form {
        text,
        json
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json (default: text).")
    private Form form;

    boolean json() {
        return form == Form.json;
    }
}
