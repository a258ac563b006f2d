package pacer.activities.publishing.report;

import static pacer.activities.publishing.report.Html.escape;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Locale;
import pacer.trainer.spec.Doc;
import pacer.trainer.spec.RunSpec;

/** The resolved preset as tables, a section a table; each setting carries its meaning as a tooltip. */
final class ReportSettings {
    private final RunSpec spec;

    ReportSettings(RunSpec spec) {
        this.spec = spec;
    }

    String html() {
        StringBuilder general = new StringBuilder();
        StringBuilder sections = new StringBuilder();
        for (RecordComponent component : RunSpec.class.getRecordComponents()) {
            Object value = valueOf(component, spec);
            if (value instanceof Record section) {
                StringBuilder rows = new StringBuilder();
                for (RecordComponent setting : section.getClass().getRecordComponents()) {
                    rows.append(row(setting, valueOf(setting, section)));
                }
                sections.append(table(component.getName(), rows));
            } else {
                general.append(row(component, value));
            }
        }
        return "<details class=\"card\"><summary>Settings</summary>\n<div class=\"settings\">\n" + table("run", general)
                + sections + "</div>\n</details>\n";
    }

    private static String table(String name, StringBuilder rows) {
        return "<div><h3>%s</h3><table><tbody>\n%s</tbody></table></div>\n".formatted(escape(name), rows);
    }

    private static String row(RecordComponent setting, Object value) {
        Doc doc = setting.getAnnotation(Doc.class);
        String shown = shown(value);
        return "<tr title=\"%s\"><th>%s</th><td>%s</td></tr>\n"
                .formatted(doc == null ? "" : escape(doc.value()), escape(setting.getName()), escape(shown));
    }

    private static String shown(Object value) {
        return switch (value) {
            case null -> "";
            case Enum<?> name -> name.name().toLowerCase(Locale.ROOT);
            case Double number -> Quantities.plain(number, 10);
            case String text -> text.replace("\n", "\\n");
            default -> value.toString();
        };
    }

    private static Object valueOf(RecordComponent component, Object owner) {
        try {
            return component.getAccessor().invoke(owner);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("setting " + component.getName() + " cannot be read", e);
        }
    }
}
