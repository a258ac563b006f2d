package pacer.trainer.spec;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a setting means, for the preset reference and for error messages. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Doc {
    String value();

    /** Least allowed number. */
    double min() default Double.NEGATIVE_INFINITY;

    /** Greatest allowed number. */
    double max() default Double.POSITIVE_INFINITY;

    /** What stands when a file says nothing, as YAML text; empty: the setting must be given. */
    String standard() default "";

    /** Whether it came after others: then it counts in {@link SpecHash} only where it is not the standard, so that earlier hashes stand. */
    boolean later() default false;
}
