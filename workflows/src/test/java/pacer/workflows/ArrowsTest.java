package pacer.workflows;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.temporal.activity.ActivityInterface;
import org.junit.jupiter.api.Test;

/** {@code workflows → activities → trainer}, never back. */
class ArrowsTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("pacer");

    @Test
    void theArrowsPointDown() {
        assertThat(CLASSES.size()).isGreaterThan(100);
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("workflows")
                .definedBy("pacer.workflows..")
                .layer("activities")
                .definedBy("pacer.activities..")
                .layer("trainer")
                .definedBy("pacer.trainer..")
                .whereLayer("workflows")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("activities")
                .mayOnlyBeAccessedByLayers("workflows")
                .whereLayer("trainer")
                .mayOnlyBeAccessedByLayers("workflows", "activities")
                .check(CLASSES);
    }

    @Test
    void theTrainerKnowsNoTemporal() {
        noClasses()
                .that()
                .resideInAPackage("pacer.trainer..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.temporal..", "io.grpc..")
                .check(CLASSES);
    }

    @Test
    void onlyTheStoreKnowsS3() {
        noClasses()
                .that()
                .resideOutsideOfPackage("pacer.activities.store..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("software.amazon..")
                .check(CLASSES);
    }

    @Test
    void onlyShellsKnowTemporalAmongTheActivities() {
        noClasses()
                .that()
                .resideInAPackage("pacer.activities..")
                .and()
                .haveNameNotMatching(".*(Activity|ActivityImpl|ActivityStage)(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.temporal..")
                .check(CLASSES);
        classes()
                .that()
                .areAnnotatedWith(ActivityInterface.class)
                .should()
                .resideInAPackage("pacer.activities..")
                .check(CLASSES);
    }
}
