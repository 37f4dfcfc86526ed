/** A rule of the linter: who measures spans does not ask for the date. */
const MESSAGE =
  "Spans are measured with monotonicMs() of packages/system/clock.ts; a date is for people and the chain (see DATED in oxlint.config.ts).";

const isDate = (node) => node.type === "Identifier" && node.name === "Date";
const nameOf = ({ computed, property }) => (computed ? property.value : property.name);

export default {
  meta: { name: "drmp" },
  rules: {
    "no-dates": {
      create: (context) => ({
        MemberExpression(node) {
          const name = nameOf(node);
          if ((isDate(node.object) && name === "now") || name === "timeOrigin")
            context.report({ node, message: MESSAGE });
        },
        NewExpression(node) {
          if (isDate(node.callee) && node.arguments.length === 0) context.report({ node, message: MESSAGE });
        },
        CallExpression(node) {
          if (isDate(node.callee)) context.report({ node, message: MESSAGE });
        },
      }),
    },
  },
};
