package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/** What is asserted of findings. */
final class Found {
    private Found() {}

    /** The one finding of {@code name} whose text holds {@code part}; one that is not good says how to mend it. */
    static Finding one(List<Finding> findings, String name, String part) {
        List<Finding> found = findings.stream()
                .filter(f -> f.name().equals(name) && f.text().contains(part))
                .toList();
        assertThat(found).as("%s with '%s' among %s", name, part, findings).hasSize(1);
        Finding finding = found.getFirst();
        if (finding.state() != Finding.State.GOOD) {
            assertThat(finding.remedy()).as(finding.text()).isNotBlank();
        }
        return finding;
    }

    static void good(List<Finding> findings, String name, String part) {
        assertThat(one(findings, name, part).state()).as(part).isEqualTo(Finding.State.GOOD);
    }

    static Finding poor(List<Finding> findings, String name, String part) {
        Finding finding = one(findings, name, part);
        assertThat(finding.state()).as(part).isEqualTo(Finding.State.POOR);
        return finding;
    }

    static Finding bad(List<Finding> findings, String name, String part) {
        Finding finding = one(findings, name, part);
        assertThat(finding.state()).as(part).isEqualTo(Finding.State.BAD);
        return finding;
    }

    static void nothingWrong(List<Finding> findings) {
        assertThat(findings).isNotEmpty().allMatch(f -> f.state() == Finding.State.GOOD);
    }
}
