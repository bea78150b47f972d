// Runs in the page: what a person would trip over. The last expression is the function that returns it as a list of sentences.
(() => {
  const rectOf = (element) => element.getBoundingClientRect();
  const describe = (element) => {
    const name = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40);
    return `<${element.localName} class="${element.getAttribute('class') ?? ''}"> ${name}`;
  };

  /** All elements, with those in shadow roots. */
  const allIn = (root) =>
    [...root.querySelectorAll('*')].flatMap((element) => [element, ...(element.shadowRoot ? allIn(element.shadowRoot) : [])]);

  /** The part of an element that can be seen: cut by what scrolls or clips around it; undefined for nothing. */
  const visibleBox = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return undefined;
    let { left, top, right, bottom } = rectOf(element);
    for (let around = element.parentElement; around; around = around.parentElement) {
      if (getComputedStyle(around).clipPath !== 'none') return undefined;
      if (around === document.body || getComputedStyle(around).overflow === 'visible') continue;
      const box = rectOf(around);
      [left, top] = [Math.max(left, box.left), Math.max(top, box.top)];
      [right, bottom] = [Math.min(right, box.right), Math.min(bottom, box.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : undefined;
  };

  const CONTROLS = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [role=option]';
  /** Where a control is hit: its label belongs to it. */
  const targetOf = (control) => (control.matches('input') ? (control.closest('label') ?? control) : control);
  const scrolls = (element) => element.matches('section, pre, [tabindex="-1"]:not(button, [role=option])');
  const controls = () => [...new Set([...document.querySelectorAll(CONTROLS)].filter((one) => !scrolls(one)).map(targetOf))];

  const overlaps = () => {
    const boxes = controls().flatMap((control) => {
      const box = visibleBox(control);
      return box && getComputedStyle(control).position !== 'sticky' && !control.closest('.hunt-probing') ? [{ control, box }] : [];
    });
    return boxes.flatMap(({ control, box }, i) =>
      boxes.slice(i + 1).flatMap((other) => {
        if (control.contains(other.control) || other.control.contains(control)) return [];
        const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        return wide > 1 && high > 1 ? [`overlap: ${describe(control)} and ${describe(other.control)}`] : [];
      }),
    );
  };

  const smallText = () => {
    const found = allIn(document.body).flatMap((element) => {
      const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
      if (!own || element.closest('noscript, script, style') || !visibleBox(element)) return [];
      const scale = element.closest('svg')?.getScreenCTM()?.a ?? 1;
      const size = Number.parseFloat(getComputedStyle(element).fontSize) * scale;
      return size < 11.95 ? [`text of ${size.toFixed(1)} px: ${describe(element)}`] : [];
    });
    return found.slice(0, 5);
  };

  const cutText = () =>
    controls().flatMap((control) =>
      control.matches('button, [role=option]') && visibleBox(control) && control.scrollWidth > control.clientWidth + 1
        ? [`text cut off: ${describe(control)}`]
        : [],
    );

  const smallTargets = (least) =>
    controls().flatMap((control) => {
      // In a sentence, and where a picture gives the size: the same is reached by the keyboard.
      if (control.matches('p > a, .heat-map, .entry-link, .link, .map-node') || !visibleBox(control)) return [];
      const { width, height } = rectOf(control);
      return width < 24 || height < least ? [`target of ${width.toFixed(0)} x ${height.toFixed(0)}: ${describe(control)}`] : [];
    });

  const unseenFocus = () => {
    const before = document.activeElement;
    const found = controls().flatMap((target) => {
      const control = target.matches('label') ? target.querySelector('input') : target;
      if (!visibleBox(control) && !visibleBox(target)) return [];
      control.focus({ preventScroll: true, focusVisible: true });
      const outlined = [control, target].some((one) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
        return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1) || boxShadow !== 'none';
      });
      return document.activeElement === control && !outlined ? [`no focus to be seen: ${describe(control)}`] : [];
    });
    document.activeElement?.blur();
    before?.focus?.({ preventScroll: true });
    return found;
  };

  const structure = () => {
    const levels = [...document.querySelectorAll('h1, h2, h3, h4')]
      .filter((one) => one.checkVisibility())
      .map((one) => Number(one.localName[1]));
    const jumps = levels.filter((level, i) => i > 0 && level > levels[i - 1] + 1);
    return [
      ...(levels.filter((level) => level === 1).length === 1 ? [] : ['not one h1']),
      ...(jumps.length > 0 ? [`headings jump to ${jumps}`] : []),
      ...(document.documentElement.lang === 'en' ? [] : ['no language']),
      ...['header', 'nav', 'main'].flatMap((one) => (document.querySelector(one) ? [] : [`no ${one}`])),
    ];
  };

  const moving = () => document.getAnimations().map((animation) => `moves: ${describe(animation.effect.target)}`);

  const wide = () => {
    const { scrollWidth } = document.documentElement;
    if (scrollWidth <= innerWidth) return [];
    const widest = allIn(document.body).filter((one) => rectOf(one).right > innerWidth + 1 && visibleBox(one)?.right > innerWidth + 1);
    return [`the page is ${scrollWidth} wide in ${innerWidth}: ${widest.slice(-2).map(describe).join('; ')}`];
  };

  return ({ least }) => [
    ...wide(),
    ...overlaps(),
    ...smallText(),
    ...cutText(),
    ...smallTargets(least),
    ...unseenFocus(),
    ...structure(),
    ...moving(),
  ];
})();
