/** Fills the stand-in with two believable small companies; the second exists so that tenants can be told apart. */
import type { Company, FieldOption, UserRecord } from './crm-records';
import { makeTable } from './crm-records';
import type { Crm } from './crm';
import { accessRights } from './new-records';

export const DEMO_COMPANY_ID = 7301001;
export const OTHER_COMPANY_ID = 7301002;
const DAY_MS = 86_400_000;

const DEAL_LABELS: readonly FieldOption[] = [
  { id: 24, label: 'Hot', color: 'red' },
  { id: 25, label: 'Renewal', color: 'green' },
  { id: 26, label: 'Partner', color: 'blue' },
];
const CONTACT_LABELS: readonly FieldOption[] = [
  { id: 5, label: 'Customer', color: 'green' },
  { id: 6, label: 'Hot lead', color: 'red' },
];

/** Two companies without any records, ready for `seedCrm`. */
export function emptyCompanies(): Map<number, Company> {
  const demo = emptyCompany({
    id: DEMO_COMPANY_ID,
    name: 'Brightwater Supplies',
    domain: 'brightwater',
    country: 'DE',
    industry: 'Manufacturing',
    currency: 'EUR',
  });
  const other = emptyCompany({
    id: OTHER_COMPANY_ID,
    name: 'Juniper Logistics',
    domain: 'juniper-logistics',
    country: 'US',
    industry: 'Transportation',
    currency: 'USD',
  });
  for (const [currency, rate] of [
    ['USD', 1.08],
    ['GBP', 0.86],
    ['SEK', 11.4],
    ['JPY', 168],
  ] as const)
    demo.rates.set(currency, rate);
  for (const [currency, rate] of [
    ['EUR', 0.92],
    ['GBP', 0.79],
  ] as const)
    other.rates.set(currency, rate);
  return new Map([demo, other].map((company) => [company.id, company]));
}

type CompanyFacts = Pick<Company, 'id' | 'name' | 'domain' | 'country' | 'industry' | 'currency'>;

function emptyCompany(facts: CompanyFacts): Company {
  const labelTime = '2024-02-13T15:31:44.000Z';
  const leadLabel = (id: string, name: string, color: string): Company['leadLabels'][number] => ({
    id,
    name,
    color,
    add_time: labelTime,
    update_time: labelTime,
  });
  return {
    ...facts,
    rates: new Map([[facts.currency, 1]]),
    users: makeTable(),
    pipelines: makeTable(),
    stages: makeTable(),
    deals: makeTable(),
    leads: makeTable(),
    persons: makeTable(),
    organizations: makeTable(),
    activities: makeTable(),
    notes: makeTable(),
    customFields: { deal: [], person: [], organization: [] },
    labels: { deal: [...DEAL_LABELS], person: [...CONTACT_LABELS], organization: [...CONTACT_LABELS] },
    leadLabels: [
      leadLabel('f08b42a0-4e75-11ea-9643-03698ef1cfd6', 'Hot', 'red'),
      leadLabel('f08b42a1-4e75-11ea-9643-03698ef1cfd6', 'Warm', 'yellow'),
      leadLabel('f08b69b0-4e75-11ea-9643-03698ef1cfd6', 'Cold', 'blue'),
    ],
    sourceLeads: new Map(),
  };
}

/** Users, pipelines, stages, custom fields, contacts, deals, leads, activities and notes of both companies. No webhook exists yet, so nothing is sent. */
export function seedCrm(crm: Crm, now: Date): void {
  const daysAgo = (days: number): { at: Date } => ({ at: new Date(now.getTime() - days * DAY_MS) });
  seedDemoCompany(crm, daysAgo);
  seedOtherCompany(crm, daysAgo);
}

type DaysAgo = (days: number) => { at: Date };

function seedDemoCompany(crm: Crm, daysAgo: DaysAgo): void {
  const team = seedTeam(crm, DEMO_COMPANY_ID, ['Alice Moreau', 'Ben Okafor', 'Carla Lindqvist', 'David Novak'], daysAgo(400));
  const sales = seedPipeline(
    crm,
    DEMO_COMPANY_ID,
    'New business',
    ['Qualified', 'Contact made', 'Demo scheduled', 'Proposal made', 'Negotiations started'],
    daysAgo(400),
  );
  const renewals = seedPipeline(
    crm,
    DEMO_COMPANY_ID,
    'Renewals',
    ['Up for renewal', 'Terms sent', 'Terms discussed', 'Verbal yes', 'Contract signed'],
    daysAgo(400),
  );
  seedCustomFields(crm, DEMO_COMPANY_ID);
  const contacts = seedContacts(crm, DEMO_COMPANY_ID, team, daysAgo(90));
  seedDemoDeals(crm, team, { sales, renewals }, contacts, daysAgo);
  seedExtras(crm, team, contacts, daysAgo);
}

function seedOtherCompany(crm: Crm, daysAgo: DaysAgo): void {
  const team = seedTeam(crm, OTHER_COMPANY_ID, ['Maya Torres', 'Noah Fischer'], daysAgo(300));
  const stages = seedPipeline(crm, OTHER_COMPANY_ID, 'Freight', ['Lead in', 'Quoted', 'Trial route', 'Contract'], daysAgo(300));
  const customer = crm.createOrganization(OTHER_COMPANY_ID, { name: 'Harbor Foods', owner_id: at(team, 0).id }, daysAgo(60));
  const contact = crm.createPerson(
    OTHER_COMPANY_ID,
    { name: 'Olivia Grant', org_id: customer.id, owner_id: at(team, 0).id },
    daysAgo(60),
  );
  const common = { org_id: customer.id, person_id: contact.id };
  crm.createDeal(
    OTHER_COMPANY_ID,
    { title: 'Weekly cold chain route', value: 18_000, owner_id: at(team, 0).id, stage_id: at(stages, 1), ...common },
    daysAgo(20),
  );
  crm.createDeal(
    OTHER_COMPANY_ID,
    { title: 'Warehouse pilot', value: 6_500, owner_id: at(team, 1).id, stage_id: at(stages, 2) },
    daysAgo(9),
  );
}

function seedTeam(crm: Crm, companyId: number, names: readonly string[], when: { at: Date }): UserRecord[] {
  return names.map((name, index) => crm.createUser(companyId, { name, access: accessRights(index === 0) }, when));
}

function seedPipeline(crm: Crm, companyId: number, name: string, stageNames: readonly string[], when: { at: Date }): number[] {
  const pipeline = crm.createPipeline(companyId, { name }, when);
  return stageNames.map((stageName) => crm.createStage(companyId, { name: stageName, pipeline_id: pipeline.id }, when).id);
}

function seedCustomFields(crm: Crm, companyId: number): void {
  const options = ['Website', 'Referral', 'Trade fair'].map((label, index) => ({ id: 41 + index, label, color: null }));
  const interests = ['Installation', 'Training', 'Support'].map((label, index) => ({ id: 51 + index, label, color: null }));
  crm.addCustomField(companyId, 'deal', { name: 'Source channel', type: 'enum', options });
  crm.addCustomField(companyId, 'deal', { name: 'Interests', type: 'set', options: interests });
  crm.addCustomField(companyId, 'deal', { name: 'Next step', type: 'varchar' });
  crm.addCustomField(companyId, 'deal', { name: 'Discount', type: 'double' });
  crm.addCustomField(companyId, 'deal', { name: 'Set-up fee', type: 'monetary' });
  crm.addCustomField(companyId, 'deal', { name: 'Go-live date', type: 'date' });
  crm.addCustomField(companyId, 'deal', { name: 'Technical lead', type: 'user' });
  crm.addCustomField(companyId, 'person', { name: 'Preferred language', type: 'varchar' });
  crm.addCustomField(companyId, 'organization', {
    name: 'Tier',
    type: 'enum',
    options: [
      { id: 61, label: 'Gold', color: null },
      { id: 62, label: 'Silver', color: null },
    ],
  });
}

type Contact = { readonly org_id: number; readonly person_id: number };

function seedContacts(crm: Crm, companyId: number, team: readonly UserRecord[], when: { at: Date }): Contact[] {
  const customers = [
    ['Alpenglow Hotels', 'Jonas Weber', 'AT'],
    ['Copperfield Mills', 'Emma Hughes', 'GB'],
    ['Delta Print Works', 'Lucas Martin', 'FR'],
    ['Evergreen Clinics', 'Sofia Rossi', 'IT'],
    ['Fjord Outdoor', 'Ingrid Solberg', 'NO'],
    ['Granite Software', 'Ethan Clarke', 'US'],
  ] as const;
  return customers.map(([company, person, country], index) => {
    const owner_id = at(team, index % team.length).id;
    const organization = crm.createOrganization(companyId, { name: company, country_code: country, owner_id }, when);
    const email = {
      value: `${person.toLowerCase().replace(' ', '.')}@${company.toLowerCase().replaceAll(' ', '-')}.example`,
      primary: true,
      label: 'work',
    };
    const phone = { value: `+49 30 555 01${index}0`, primary: true, label: 'work' };
    return {
      org_id: organization.id,
      person_id: crm.createPerson(
        companyId,
        { name: person, org_id: organization.id, owner_id, emails: [email], phones: [phone] },
        when,
      ).id,
    };
  });
}

function seedDemoDeals(
  crm: Crm,
  team: readonly UserRecord[],
  stages: { sales: number[]; renewals: number[] },
  contacts: readonly Contact[],
  daysAgo: DaysAgo,
): void {
  const rows = [
    ['Spa towels for 12 hotels', 14_800, 'EUR', 'sales', 3, 0, 0, 21],
    ['Linen contract 2027', 42_000, 'EUR', 'sales', 4, 1, 0, 34],
    ['Mill safety equipment', 7_250, 'EUR', 'sales', 1, 1, 1, 12],
    ['Print room refit', 23_900, 'EUR', 'sales', 2, 2, 2, 18],
    ['Clinic consumables, first order', 3_480, 'EUR', 'sales', 0, 3, 3, 4],
    ['Outdoor store fittings', 61_500, 'USD', 'sales', 3, 0, 4, 27],
    ['Office fit-out Boston', 128_000, 'USD', 'sales', 2, 2, 5, 40],
    ['Meeting room furniture', 9_900, 'USD', 'sales', 0, 3, 5, 2],
    ['Hotel supplies renewal', 36_000, 'EUR', 'renewals', 0, 1, 0, 15],
    ['Mill service plan', 11_400, 'EUR', 'renewals', 1, 0, 1, 30],
    ['Clinic framework agreement', 54_000, 'EUR', 'renewals', 2, 2, 3, 45],
    ['Store network renewal', 28_700, 'USD', 'renewals', 3, 3, 4, 50],
  ] as const;
  for (const [title, value, currency, pipeline, stage, owner, contact, age] of rows) {
    const owner_id = at(team, owner).id;
    const fields = { title, value, currency, owner_id, stage_id: at(stages[pipeline], stage), ...at(contacts, contact) };
    crm.createDeal(DEMO_COMPANY_ID, fields, daysAgo(age));
  }
}

function seedExtras(crm: Crm, team: readonly UserRecord[], contacts: readonly Contact[], daysAgo: DaysAgo): void {
  const company = crm.company(DEMO_COMPANY_ID);
  const dealIds = [...company.deals.live.keys()];
  const first = at(dealIds, 0);
  crm.createActivity(
    DEMO_COMPANY_ID,
    { subject: 'Walk through the proposal', type: 'meeting', deal_id: first, owner_id: at(team, 0).id, ...at(contacts, 0) },
    daysAgo(3),
  );
  crm.createActivity(
    DEMO_COMPANY_ID,
    { subject: 'Call about delivery dates', type: 'call', deal_id: at(dealIds, 3), owner_id: at(team, 2).id, ...at(contacts, 2) },
    daysAgo(1),
  );
  crm.createNote(
    DEMO_COMPANY_ID,
    { content: '<p>Wants samples before the board meeting.</p>', deal_id: first, user_id: at(team, 0).id },
    daysAgo(6),
  );
  const lead = { owner_id: at(team, 1).id, organization_id: at(contacts, 1).org_id, person_id: at(contacts, 1).person_id };
  crm.createLead(
    DEMO_COMPANY_ID,
    { title: 'Work shoes for the night shift', value: { amount: 5_200, currency: 'EUR' }, ...lead },
    daysAgo(2),
  );
  crm.createLead(
    DEMO_COMPANY_ID,
    { title: 'Question from the website', owner_id: at(team, 3).id, person_id: at(contacts, 4).person_id },
    daysAgo(1),
  );
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`the seed has no item ${index}`);
  return item;
}
